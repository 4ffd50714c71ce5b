using System.Text.Json.Nodes;

namespace Banyan.Checkpoints.Gguf;

/// <summary>Hyperparameters that most decoders share.</summary>
internal static class DecoderKeys
{
    /// <summary>Sizes, under Llama's names or others.</summary>
    public static GgufKey[] Sizes(
        string layers = "num_hidden_layers", string positions = "max_position_embeddings", string width = "hidden_size", string heads = "num_attention_heads", string? inner = "intermediate_size") =>
    [
        GgufKey.Int("block_count", layers), GgufKey.Int("context_length", positions), GgufKey.Int("embedding_length", width),
        .. inner is null ? (GgufKey[])[] : [GgufKey.Int("feed_forward_length", inner)], GgufKey.Int("attention.head_count", heads),
    ];

    /// <summary>An inner width that is four times the width where the configuration does not say it.</summary>
    public static GgufKey FourTimes(string width, string? inner = null) => GgufKey.Derived("feed_forward_length",
        c => GgufValue.Of((uint)(inner is not null && c.Has(inner) ? c.GetInt(inner) : 4 * c.GetInt(width))));

    /// <summary>Key and value heads; as many as query heads where the configuration leaves it open.</summary>
    public static GgufKey KeyValueHeads { get; } = new("attention.head_count_kv",
        c => GgufValue.Of((uint)c.GetInt("num_key_value_heads", c.GetInt("num_attention_heads"))), (json, m, key) => json["num_key_value_heads"] = m.GetLong(key));

    /// <summary>The base of the rotary angles, in both spellings of a configuration.</summary>
    public static GgufKey RopeBase { get; } = new("rope.freq_base", c => GgufValue.Of((float)Theta(c)), (json, m, key) => json["rope_theta"] = GgufKey.Shortest(m.GetDouble(key)));

    /// <summary>The epsilon of RMSNorm.</summary>
    public static GgufKey RmsEps { get; } = GgufKey.Float("attention.layer_norm_rms_epsilon", "rms_norm_eps", 1e-6);

    /// <summary>The width of a head, where the configuration says it (or its class always does: <paramref name="always"/>).</summary>
    public static GgufKey[] HeadDims(bool always) =>
    [
        new("attention.key_length", c => always || c.Has("head_dim") ? GgufValue.Of((uint)HeadDim(c)) : null, (json, m, key) => json["head_dim"] = m.GetLong(key)),
        GgufKey.Derived("attention.value_length", c => always || c.Has("head_dim") ? GgufValue.Of((uint)HeadDim(c)) : null),
    ];

    /// <summary>Rows of the embedding, which reading takes from the tensor.</summary>
    public static GgufKey VocabSize { get; } = GgufKey.Derived("vocab_size", c => GgufValue.Of((uint)c.GetInt("vocab_size")));

    /// <summary>All of a head is turned.</summary>
    public static GgufKey WholeHeadTurns { get; } = GgufKey.Derived("rope.dimension_count", c => GgufValue.Of((uint)HeadDim(c)));

    /// <summary>The share of a head that is turned.</summary>
    public static GgufKey RotaryShare(string hf = "partial_rotary_factor", double defaultValue = 1) => new("rope.dimension_count",
        c => GgufValue.Of((uint)(c.GetDouble(hf, defaultValue) * HeadDim(c))),
        (json, m, key) => json[hf] = m.GetDouble(key) / (json["head_dim"]?.GetValue<long>() ?? Json(json, "hidden_size") / Json(json, "num_attention_heads")));

    /// <summary>How many experts there are, and how many a token takes.</summary>
    public static GgufKey[] Experts(string count = "num_experts", string used = "num_experts_per_tok") => [GgufKey.Int("expert_count", count), GgufKey.Int("expert_used_count", used)];

    /// <summary>The window of attention; 0 where there is none.</summary>
    public static GgufKey Window(bool always = false) => new("attention.sliding_window",
        c => c.Has("sliding_window") ? GgufValue.Of((uint)c.GetInt("sliding_window", min: 0)) : always ? GgufValue.Of(0u) : null,
        (json, m, key) => json["sliding_window"] = m.GetLong(key) is > 0 and var w ? w : null);

    /// <summary>Linear and YaRN stretching of the rotary angles.</summary>
    public static GgufKey[] RopeScaling { get; } =
    [
        new("rope.scaling.type", c => Scaling(c) is { } s && TypeOf(s) is "linear" or "yarn" ? GgufValue.Of(TypeOf(Scaling(c)!)) : null,
            (json, m, key) => Put(json, m.GetString(key) is var type and ("linear" or "yarn") ? ("rope_type", type) : null)),
        Part("rope.scaling.factor", "factor", ["linear", "yarn"]),
        new("rope.scaling.original_context_length", c => Scaling(c) is { } s && TypeOf(s) == "yarn" ? GgufValue.Of((uint)s.GetInt("original_max_position_embeddings", c.GetInt("max_position_embeddings"))) : null,
            (json, m, key) => Put(json, json.ContainsKey("rope_scaling") ? ("original_max_position_embeddings", m.GetLong(key)) : null)),
        Part("rope.scaling.yarn_beta_fast", "beta_fast", ["yarn"]), Part("rope.scaling.yarn_beta_slow", "beta_slow", ["yarn"]),
    ];

    /// <summary>The usual ones of a decoder with RMSNorm, in the order of the reference converter.</summary>
    public static GgufKey[] Llama(bool headDim = false) => [.. Sizes(), KeyValueHeads, .. RopeScaling, RopeBase, RmsEps, .. HeadDims(headDim)];

    /// <summary>The width of a head.</summary>
    public static int HeadDim(ConfigReader c) => c.Has("head_dim") ? c.GetInt("head_dim") : c.GetInt("hidden_size") / c.GetInt("num_attention_heads");

    /// <summary>The stretching of the rotary angles, in both spellings; null: none.</summary>
    public static ConfigReader? Scaling(ConfigReader c) => c.GetOptionalObject("rope_scaling") ?? c.GetOptionalObject("rope_parameters");

    /// <summary>The kind of stretching.</summary>
    public static string TypeOf(ConfigReader scaling) => scaling.GetString("rope_type", scaling.GetString("type", "default"));

    /// <summary>The base of the rotary angles.</summary>
    public static double Theta(ConfigReader c) => c.GetOptionalObject("rope_parameters") is { } p && p.Has("rope_theta") ? p.GetDouble("rope_theta") : c.GetDouble("rope_theta", 10000);

    private static GgufKey Part(string name, string hf, string[] types) => new(name,
        c => Scaling(c) is { } s && types.Contains(TypeOf(s)) && s.Has(hf) ? GgufValue.Of((float)s.GetDouble(hf)) : null,
        (json, m, key) => Put(json, json.ContainsKey("rope_scaling") ? (hf, GgufKey.Shortest(m.GetDouble(key))) : null));

    private static void Put(JsonObject json, (string Key, object Value)? part)
    {
        if (part is not { } p)
        {
            return;
        }
        JsonObject scaling = json["rope_scaling"] as JsonObject ?? [];
        scaling[p.Key] = p.Value switch { string s => s, long l => l, _ => (double)p.Value };
        json["rope_scaling"] = scaling;
    }

    private static double Json(JsonObject json, string key) => json[key]?.GetValue<long>() ?? throw new InvalidOperationException($"{key} is read before what needs it");
}
