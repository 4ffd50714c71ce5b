using Banyan.Checkpoints;

namespace Banyan.Models;

/// <summary>How a family of architectures spells the keys that all decoders have.</summary>
/// <param name="Width">C.</param>
/// <param name="Inner">Width of the MLP.</param>
/// <param name="Layers">Number of layers.</param>
/// <param name="Heads">Number of query heads.</param>
/// <param name="Positions">Context length.</param>
/// <param name="NormEps">Added to variances in norms.</param>
/// <param name="Act">Activation of the MLP.</param>
public sealed record DecoderKeys(
    string Width = "hidden_size", string Inner = "intermediate_size", string Layers = "num_hidden_layers", string Heads = "num_attention_heads",
    string Positions = "max_position_embeddings", string NormEps = "rms_norm_eps", string Act = "hidden_act")
{
    /// <summary>The spelling of GPT-2 and its first successors.</summary>
    public static DecoderKeys Gpt { get; } = new("n_embd", "n_inner", "n_layer", "n_head", "n_positions", "layer_norm_epsilon", "activation_function");
}

/// <summary>
/// What nearly every decoder's <c>config.json</c> says. An architecture reads it with its own defaults, which files leave out; what only it knows
/// it reads itself.
/// </summary>
public record DecoderConfig
{
    /// <summary>Number of token ids. Default: 32000.</summary>
    public int VocabSize { get; init; } = 32000;

    /// <summary>C. Default: 4096.</summary>
    public int HiddenSize { get; init; } = 4096;

    /// <summary>Width of the MLP. Default: 11008.</summary>
    public int IntermediateSize { get; init; } = 11008;

    /// <summary>Number of layers. Default: 32.</summary>
    public int NumHiddenLayers { get; init; } = 32;

    /// <summary>H, the query heads. Default: 32.</summary>
    public int NumAttentionHeads { get; init; } = 32;

    /// <summary>G, the key and value heads: each serves H / G query heads. As a default 0: H.</summary>
    public int NumKeyValueHeads { get; init; }

    /// <summary>D. As a default 0: C / H.</summary>
    public int HeadDim { get; init; }

    /// <summary>Context length. Default: 2048.</summary>
    public int MaxPositionEmbeddings { get; init; } = 2048;

    /// <summary>Added to the variance or mean square in norms. Default: 1e-6.</summary>
    public double NormEps { get; init; } = 1e-6;

    /// <summary>Activation of the MLP. Default: silu.</summary>
    public string HiddenAct { get; init; } = "silu";

    /// <summary>Biases of the attention's layers. Default: none.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Biases of the MLP's layers. Default: none.</summary>
    public bool MlpBias { get; init; }

    /// <summary>Whether the head is the embedding. Default: false.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>The padding id, whose embedding is not trained; null: none.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>Standard deviation of new weights. Default: 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Dropout of attention weights in training. Default: 0.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>How much of each head rotates. Default: 1.</summary>
    public double PartialRotaryFactor { get; init; } = 1;

    /// <summary>Keys that a windowed layer's query sees, its own among them; null: no window.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>What each layer is (<c>full_attention</c>, <c>sliding_attention</c>, ...); empty: all alike.</summary>
    public IReadOnlyList<string> LayerTypes { get; init; } = [];

    /// <summary>Angles of the positions.</summary>
    public RopeParameters Rope { get; init; } = new();

    /// <summary>Number of rotated elements of a head.</summary>
    public int RotaryDim => (int)(HeadDim * PartialRotaryFactor) / 2 * 2;

    /// <summary>The window of a layer, or null.</summary>
    public int? WindowOf(int layer) => LayerTypes.Count == 0 || LayerTypes[layer] == "sliding_attention" ? SlidingWindow : null;

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <param name="c">The file.</param>
    /// <param name="defaults">What the architecture takes for keys that are not there. Default: Llama's.</param>
    /// <param name="keys">How it spells them. Default: as Llama.</param>
    /// <exception cref="CheckpointException">A value is impossible, or values contradict each other.</exception>
    public static DecoderConfig Read(ConfigReader c, DecoderConfig? defaults = null, DecoderKeys? keys = null)
    {
        (DecoderConfig d, DecoderKeys k) = (defaults ?? new(), keys ?? new());
        int width = c.GetInt(k.Width, d.HiddenSize, min: 1, max: 1 << 20), heads = c.GetInt(k.Heads, d.NumAttentionHeads, min: 1, max: 1 << 16);
        int groups = c.GetInt("num_key_value_heads", d.NumKeyValueHeads > 0 && !c.Keys.Contains("num_key_value_heads") ? d.NumKeyValueHeads : heads, min: 1, max: heads);
        int layers = c.GetInt(k.Layers, d.NumHiddenLayers, min: 0, max: 4096), positions = c.GetInt(k.Positions, d.MaxPositionEmbeddings, min: 1);
        ConfigChecks.Divides(c, k.Heads, heads, "num_key_value_heads", groups);
        int headDim = c.GetInt("head_dim", d.HeadDim > 0 && !c.Keys.Contains("head_dim") ? d.HeadDim : Share(c, k, width, heads), min: 1, max: 1 << 16);
        return d with
        {
            VocabSize = c.GetInt("vocab_size", d.VocabSize, min: 1, max: 1 << 26),
            HiddenSize = width,
            IntermediateSize = c.GetInt(k.Inner, d.IntermediateSize > 0 ? d.IntermediateSize : 4 * width, min: 1, max: 1 << 24),
            NumHiddenLayers = layers,
            NumAttentionHeads = heads,
            NumKeyValueHeads = groups,
            HeadDim = headDim,
            MaxPositionEmbeddings = positions,
            NormEps = c.GetDouble(k.NormEps, d.NormEps, min: 0),
            HiddenAct = c.GetChoice(k.Act, Activations.Names, d.HiddenAct),
            AttentionBias = c.GetBool("attention_bias", d.AttentionBias),
            MlpBias = c.GetBool("mlp_bias", d.MlpBias),
            TieWordEmbeddings = c.GetBool("tie_word_embeddings", d.TieWordEmbeddings),
            PadTokenId = ConfigChecks.PadTokenId(c, d.PadTokenId),
            InitializerRange = c.GetDouble("initializer_range", d.InitializerRange, min: 0),
            AttentionDropout = c.GetDouble("attention_dropout", d.AttentionDropout, min: 0, max: 0.999),
            PartialRotaryFactor = RopeParameters.Partial(c, d.PartialRotaryFactor),
            SlidingWindow = c.Has("sliding_window") && c.GetInt("sliding_window", min: 0) is > 0 and var w ? w : c.Keys.Contains("sliding_window") ? null : d.SlidingWindow,
            LayerTypes = LayerKinds(c, layers, d.LayerTypes),
            Rope = RopeParameters.Read(c, positions, d.Rope.Theta),
        };
    }

    private static int Share(ConfigReader c, DecoderKeys k, int width, int heads)
    {
        if (!c.Has("head_dim"))
        {
            ConfigChecks.Divides(c, k.Width, width, k.Heads, heads);
        }
        return Math.Max(width / heads, 1);
    }

    private static readonly string[] s_layerKinds = ["full_attention", "sliding_attention", "chunked_attention", "conv", "linear_attention", "mamba", "attention"];

    private static IReadOnlyList<string> LayerKinds(ConfigReader c, int layers, IReadOnlyList<string> defaults)
    {
        string[] kinds = c.Has("layer_types") ? c.GetStrings("layer_types") : [];
        if (Array.Find(kinds, k => !s_layerKinds.Contains(k)) is { } unknown)
        {
            throw new CheckpointException(c.Source, $"\"layer_types\" names \"{unknown}\"; expected {string.Join(", ", s_layerKinds)}{NearestName.Hint(unknown, s_layerKinds)}");
        }
        return kinds.Length == 0 ? defaults : kinds.Length == layers ? kinds
            : throw new CheckpointException(c.Source, $"\"layer_types\" names {kinds.Length} layers; expected {layers}");
    }
}
