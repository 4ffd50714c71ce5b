using System.Text.Json.Nodes;

namespace Banyan.Checkpoints.Gguf;

/// <summary>Mamba 1 and 2, Jamba, LFM2: state-space and convolution layers.</summary>
internal static class RecurrentFamilies
{
    public static GgufFamily Mamba { get; } = new()
    {
        Architecture = "mamba", HfArchitecture = "MambaForCausalLM", ModelType = "mamba",
        Keys =
        [
            GgufKey.Derived("context_length", _ => GgufValue.Of(1u << 20)), GgufKey.Int("embedding_length", "hidden_size"), Zero("feed_forward_length"), Zero("attention.head_count"), GgufKey.Int("block_count", "num_hidden_layers"),
            GgufKey.Int("ssm.conv_kernel", "conv_kernel", 4), new("ssm.inner_size", c => GgufValue.Of((uint)c.GetInt("intermediate_size", 2 * c.GetInt("hidden_size"))), (json, m, key) => json["intermediate_size"] = m.GetLong(key)),
            GgufKey.Int("ssm.state_size", "state_size", 16), new("ssm.time_step_rank", c => GgufValue.Of((uint)c.GetInt("time_step_rank", (c.GetInt("hidden_size") + 15) / 16)), (json, m, key) => json["time_step_rank"] = m.GetLong(key)),
            GgufKey.Float("attention.layer_norm_rms_epsilon", "layer_norm_epsilon", 1e-5), GgufKey.Derived("ssm.dt_b_c_rms", _ => GgufValue.Of(false)),
        ],
        Tensors = c => [.. Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. TensorRule.Layer($"{hf}.norm", $"{gguf}.attn_norm"), .. Selective($"{hf}.mixer", gguf),
        ], "backbone.layers")],
        Complete = (json, f) =>
        {
            json["expand"] = json["intermediate_size"]!.GetValue<long>() / json["hidden_size"]!.GetValue<long>();
            json["use_bias"] = f.TryGet("blk.0.ssm_in.bias", out _);
            json["use_conv_bias"] = f.TryGet("blk.0.ssm_conv1d.bias", out _);
        },
        IsRedundant = IsHead,
    };

    public static GgufFamily Mamba2 { get; } = new()
    {
        Architecture = "mamba2", HfArchitecture = "Mamba2ForCausalLM", ModelType = "mamba2",
        Keys =
        [
            GgufKey.Derived("context_length", _ => GgufValue.Of(1u << 20)), GgufKey.Int("embedding_length", "hidden_size"), Zero("feed_forward_length"), Zero("attention.head_count"), GgufKey.Int("block_count", "num_hidden_layers"),
            GgufKey.Int("ssm.conv_kernel", "conv_kernel", 4), GgufKey.Derived("ssm.inner_size", c => GgufValue.Of((uint)(c.GetInt("expand", 2) * c.GetInt("hidden_size")))), GgufKey.Int("ssm.state_size", "state_size", 128),
            new("ssm.time_step_rank", c => GgufValue.Of((uint)(c.GetInt("expand", 2) * c.GetInt("hidden_size") / c.GetInt("head_dim", 64))), (json, m, key) => json["num_heads"] = m.GetLong(key)),
            GgufKey.Int("ssm.group_count", "n_groups", 1), GgufKey.Float("attention.layer_norm_rms_epsilon", "layer_norm_epsilon", 1e-5),
        ],
        Tensors = c => [.. Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. TensorRule.Layer($"{hf}.norm", $"{gguf}.attn_norm"), TensorRule.Decay($"{hf}.mixer.A_log", $"{gguf}.ssm_a", column: true), TensorRule.Column($"{hf}.mixer.D", $"{gguf}.ssm_d"),
            TensorRule.Copy($"{hf}.mixer.dt_bias", $"{gguf}.ssm_dt.bias"), TensorRule.Folded($"{hf}.mixer.norm.weight", $"{gguf}.ssm_norm.weight", c.GetInt("n_groups", 1, min: 1)), .. Convolution($"{hf}.mixer", gguf),
            .. TensorRule.Layer($"{hf}.mixer.in_proj", $"{gguf}.ssm_in"), .. TensorRule.Layer($"{hf}.mixer.out_proj", $"{gguf}.ssm_out"),
        ], "backbone.layers")],
        Complete = (json, f) =>
        {
            long inner = f.Metadata.GetLong("mamba2.ssm.inner_size");
            json["expand"] = inner / json["hidden_size"]!.GetValue<long>();
            json["head_dim"] = inner / json["num_heads"]!.GetValue<long>();
            json["use_bias"] = f.TryGet("blk.0.ssm_in.bias", out _);
            json["use_conv_bias"] = f.TryGet("blk.0.ssm_conv1d.bias", out _);
        },
        IsRedundant = IsHead,
    };

    public static GgufFamily Jamba { get; } = new()
    {
        Architecture = "jamba", HfArchitecture = "JambaForCausalLM", ModelType = "jamba",
        Keys =
        [
            .. DecoderKeys.Sizes(),
            new("attention.head_count_kv", c => GgufValue.Of([.. Enumerable.Range(0, c.GetInt("num_hidden_layers")).Select(i => i % c.GetInt("attn_layer_period", 8) == c.GetInt("attn_layer_offset", 4) ? c.GetInt("num_key_value_heads") : 0)]),
                (json, m, key) => ReadPattern(json, m.GetLongs(key), "attn_layer_period", "attn_layer_offset")),
            GgufKey.Int("ssm.conv_kernel", "mamba_d_conv"), new("ssm.inner_size", c => GgufValue.Of((uint)(c.GetInt("mamba_expand", 2) * c.GetInt("hidden_size"))), (json, m, key) => json["mamba_expand"] = m.GetLong(key) / json["hidden_size"]!.GetValue<long>()),
            GgufKey.Int("ssm.state_size", "mamba_d_state"), GgufKey.Int("ssm.time_step_rank", "mamba_dt_rank"), DecoderKeys.RmsEps, .. DecoderKeys.Experts(),
        ],
        Tensors = c =>
        [
            TensorRule.Copy("model.embed_tokens.weight", "token_embd.weight"), TensorRule.Copy("lm_head.weight", "output.weight"), .. TensorRule.Layer("model.final_layernorm", "output_norm"), .. DecoderTensors.Layers(c, (hf, gguf) =>
            [
                .. TensorRule.Layer($"{hf}.input_layernorm", $"{gguf}.attn_norm"), .. TensorRule.Layer($"{hf}.pre_ff_layernorm", $"{gguf}.ffn_norm"), .. DecoderTensors.Attention(c, hf, gguf), .. Selective($"{hf}.mamba", gguf),
                .. new[] { "dt", "b", "c" }.SelectMany(n => TensorRule.Layer($"{hf}.mamba.{n}_layernorm", $"{gguf}.ssm_{n}_norm")), .. DecoderTensors.GatedMlp($"{hf}.feed_forward", gguf),
                TensorRule.Copy($"{hf}.feed_forward.router.weight", $"{gguf}.ffn_gate_inp.weight"), .. DecoderTensors.Experts($"{hf}.feed_forward.experts", gguf, c.GetInt("num_experts", min: 1)),
            ]),
        ],
        Complete = (json, f) =>
        {
            int layers = (int)json["num_hidden_layers"]!.GetValue<long>();
            ReadPattern(json, [.. Enumerable.Range(0, layers).Select(i => f.TryGet($"blk.{i}.ffn_gate_inp.weight", out _) ? 1L : 0)], "expert_layer_period", "expert_layer_offset");
            json["mamba_conv_bias"] = f.Names.Any(n => n.EndsWith("ssm_conv1d.bias", StringComparison.Ordinal));
            json["mamba_proj_bias"] = f.Names.Any(n => n.EndsWith("ssm_in.bias", StringComparison.Ordinal));
        },
    };

    public static GgufFamily Lfm2 { get; } = new()
    {
        Architecture = "lfm2", HfArchitecture = "Lfm2ForCausalLM", ModelType = "lfm2",
        Keys =
        [
            .. DecoderKeys.Sizes(inner: null), new("feed_forward_length", c => GgufValue.Of((uint)AdjustedInner(c)), (json, m, key) =>
            {
                json["intermediate_size"] = m.GetLong(key);
                json["block_auto_adjust_ff_dim"] = false;
            }),
            new("attention.head_count_kv", c => GgufValue.Of([.. c.GetStrings("layer_types").Select(t => t == "full_attention" ? c.GetInt("num_key_value_heads") : 0)]), (json, m, key) =>
            {
                long[] heads = m.GetLongs(key);
                json["num_key_value_heads"] = heads.Max();
                json["layer_types"] = new JsonArray([.. heads.Select(h => (JsonNode)(h > 0 ? "full_attention" : "conv"))]);
            }),
            DecoderKeys.RopeBase, GgufKey.Float("attention.layer_norm_rms_epsilon", "norm_eps"), DecoderKeys.VocabSize, GgufKey.Int("shortconv.l_cache", "conv_L_cache"),
        ],
        Tensors = c =>
        [
            TensorRule.Copy("model.embed_tokens.weight", "token_embd.weight"), TensorRule.Copy("model.embedding_norm.weight", "token_embd_norm.weight"), .. DecoderTensors.Layers(c, (hf, gguf) =>
            [
                TensorRule.Depthwise($"{hf}.conv.conv", $"{gguf}.shortconv.conv"), .. TensorRule.Layer($"{hf}.conv.in_proj", $"{gguf}.shortconv.in_proj"), .. TensorRule.Layer($"{hf}.conv.out_proj", $"{gguf}.shortconv.out_proj"),
                TensorRule.Copy($"{hf}.conv.conv.bias", $"{gguf}.shortconv.conv.bias"), .. TensorRule.Layer($"{hf}.feed_forward.w1", $"{gguf}.ffn_gate"), .. TensorRule.Layer($"{hf}.feed_forward.w2", $"{gguf}.ffn_down"),
                .. TensorRule.Layer($"{hf}.feed_forward.w3", $"{gguf}.ffn_up"), .. TensorRule.Layer($"{hf}.ffn_norm", $"{gguf}.ffn_norm"), .. TensorRule.Layer($"{hf}.operator_norm", $"{gguf}.attn_norm"),
                .. DecoderTensors.Attention(c, hf, gguf, output: "out_proj"),
                .. TensorRule.Layer($"{hf}.self_attn.q_layernorm", $"{gguf}.attn_q_norm"), .. TensorRule.Layer($"{hf}.self_attn.k_layernorm", $"{gguf}.attn_k_norm"),
            ]),
        ],
        Complete = (json, f) => json["conv_bias"] = f.TryGet("blk.0.shortconv.conv.bias", out _), IsRedundant = IsHead,
    };

    private static IEnumerable<TensorRule> Ends => [TensorRule.Copy("backbone.embeddings.weight", "token_embd.weight"), .. TensorRule.Layer("backbone.norm_f", "output_norm"), TensorRule.Copy("lm_head.weight", "output.weight")];

    private static GgufKey Zero(string name) => GgufKey.Derived(name, _ => GgufValue.Of(0u));

    // Mamba's first layer: (channels, state) decay, projections of dt, B and C.
    private static IEnumerable<TensorRule> Selective(string hf, string gguf) =>
    [
        TensorRule.Decay($"{hf}.A_log", $"{gguf}.ssm_a"), TensorRule.Copy($"{hf}.D", $"{gguf}.ssm_d"), .. Convolution(hf, gguf), .. TensorRule.Layer($"{hf}.dt_proj", $"{gguf}.ssm_dt"),
        .. TensorRule.Layer($"{hf}.in_proj", $"{gguf}.ssm_in"), .. TensorRule.Layer($"{hf}.out_proj", $"{gguf}.ssm_out"), .. TensorRule.Layer($"{hf}.x_proj", $"{gguf}.ssm_x"),
    ];

    private static IEnumerable<TensorRule> Convolution(string hf, string gguf) => [TensorRule.Depthwise($"{hf}.conv1d", $"{gguf}.ssm_conv1d"), TensorRule.Copy($"{hf}.conv1d.bias", $"{gguf}.ssm_conv1d.bias")];

    // Which layers are of a kind, as period and offset: the first two of the kind tell.
    private static void ReadPattern(JsonObject json, long[] layers, string period, string offset)
    {
        int first = Array.FindIndex(layers, n => n > 0), second = first < 0 ? -1 : Array.FindIndex(layers, first + 1, n => n > 0);
        json[offset] = Math.Max(first, 0);
        json[period] = second < 0 ? layers.Length : second - first;
        if (period.StartsWith("attn", StringComparison.Ordinal))
        {
            json["num_key_value_heads"] = layers.Max();
        }
    }

    // Two thirds of the inner width, times a factor, rounded up to a multiple.
    private static int AdjustedInner(ConfigReader c)
    {
        int inner = c.GetInt("block_ff_dim", c.GetInt("intermediate_size"));
        if (!c.GetBool("block_auto_adjust_ff_dim", true))
        {
            return inner;
        }
        int multiple = c.GetInt("block_multiple_of", 256);
        inner = (int)(c.GetDouble("block_ffn_dim_multiplier", 1) * (2 * inner / 3));
        return (inner + multiple - 1) / multiple * multiple;
    }

    private static bool IsHead(string name) => name == "lm_head.weight";
}
