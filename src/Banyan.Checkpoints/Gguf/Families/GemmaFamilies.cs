using System.Text.Json.Nodes;

namespace Banyan.Checkpoints.Gguf;

/// <summary>Gemma 1 to 3 (norms around zero are stored around one), Cohere and Cohere 2, StableLM, StarCoder 2.</summary>
internal static class GemmaFamilies
{
    private static GgufKey[] Sizes { get; } = [.. DecoderKeys.Sizes(), DecoderKeys.KeyValueHeads];

    public static GgufFamily Gemma { get; } = new()
    {
        Architecture = "gemma", HfArchitecture = "GemmaForCausalLM", ModelType = "gemma", Keys = [.. Sizes, DecoderKeys.RmsEps, .. DecoderKeys.HeadDims(true)], Complete = Activation, IsRedundant = IsHead,
        Tensors = c => [.. Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            TensorRule.PlusOne($"{hf}.input_layernorm", $"{gguf}.attn_norm"), TensorRule.PlusOne($"{hf}.post_attention_layernorm", $"{gguf}.ffn_norm"), .. Body(c, hf, gguf),
        ])],
    };

    public static GgufFamily Gemma2 { get; } = new()
    {
        Architecture = "gemma2", HfArchitecture = "Gemma2ForCausalLM", ModelType = "gemma2",
        Keys =
        [
            .. Sizes, DecoderKeys.RmsEps, .. DecoderKeys.HeadDims(true), GgufKey.Float("attn_logit_softcapping", "attn_logit_softcapping", 50), GgufKey.Float("final_logit_softcapping", "final_logit_softcapping", 30), DecoderKeys.Window(),
        ],
        Tensors = c => [.. Ends, .. DecoderTensors.Layers(c, (hf, gguf) => [.. FourNorms(hf, gguf), .. Body(c, hf, gguf)])], Complete = Scaled, IsRedundant = IsHead,
    };

    public static GgufFamily Gemma3 { get; } = new()
    {
        Architecture = "gemma3", HfArchitecture = "Gemma3ForCausalLM", ModelType = "gemma3_text",
        Keys =
        [
            .. Sizes, .. DecoderKeys.RopeScaling, DecoderKeys.RopeBase, GgufKey.Float("rope.freq_base_swa", "rope_local_base_freq", 10000), DecoderKeys.RmsEps, .. DecoderKeys.HeadDims(true), DecoderKeys.Window(),
        ],
        Tensors = c => [.. Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. FourNorms(hf, gguf), TensorRule.PlusOne($"{hf}.self_attn.q_norm", $"{gguf}.attn_q_norm"), TensorRule.PlusOne($"{hf}.self_attn.k_norm", $"{gguf}.attn_k_norm"), .. Body(c, hf, gguf),
        ])],
        Complete = (json, f) =>
        {
            Scaled(json, f);
            json["sliding_window_pattern"] = 6;
        },
        IsRedundant = IsHead,
    };

    public static GgufFamily Cohere { get; } = new()
    {
        Architecture = "command-r", HfArchitecture = "CohereForCausalLM", ModelType = "cohere",
        Keys = [.. Sizes, DecoderKeys.RopeBase, GgufKey.Float("attention.layer_norm_epsilon", "layer_norm_eps", 1e-5), GgufKey.Float("logit_scale", "logit_scale"), NoScaling], Tensors = Parallel,
        Complete = (json, f) => json["use_qk_norm"] = f.TryGet("blk.0.attn_q_norm.weight", out _), IsRedundant = IsHead,
    };

    public static GgufFamily Cohere2 { get; } = new()
    {
        Architecture = "cohere2", HfArchitecture = "Cohere2ForCausalLM", ModelType = "cohere2",
        Keys =
        [
            .. Sizes, DecoderKeys.RopeBase, GgufKey.Float("attention.layer_norm_epsilon", "layer_norm_eps", 1e-5), .. DecoderKeys.HeadDims(true), GgufKey.Float("logit_scale", "logit_scale"), DecoderKeys.Window(),
            DecoderKeys.VocabSize, DecoderKeys.WholeHeadTurns, NoScaling,
        ],
        Tensors = Parallel, Complete = (json, f) => json["sliding_window_pattern"] = 4, IsRedundant = IsHead,
    };

    public static GgufFamily StableLm { get; } = new()
    {
        Architecture = "stablelm", HfArchitecture = "StableLmForCausalLM", ModelType = "stablelm",
        Keys =
        [
            .. DecoderKeys.Sizes(), DecoderKeys.RotaryShare(defaultValue: 0.25), DecoderKeys.KeyValueHeads, GgufKey.Bool("use_parallel_residual", "use_parallel_residual", false),
            GgufKey.Float("attention.layer_norm_epsilon", "layer_norm_eps", 1e-5),
        ],
        Tensors = c => [.. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. DecoderTensors.PreNorms(hf, gguf), .. DecoderTensors.Attention(c, hf, gguf), .. DecoderTensors.GatedMlp($"{hf}.mlp", gguf),
            TensorRule.Stacked($"{hf}.self_attn.q_layernorm.norms.{{e}}.weight", $"{gguf}.attn_q_norm.weight", c.GetInt("num_attention_heads", min: 1)),
            TensorRule.Stacked($"{hf}.self_attn.k_layernorm.norms.{{e}}.weight", $"{gguf}.attn_k_norm.weight", c.GetInt("num_key_value_heads", c.GetInt("num_attention_heads"), min: 1)),
        ])],
        Complete = (json, f) =>
        {
            json["use_qkv_bias"] = f.TryGet("blk.0.attn_q.bias", out _);
            json["qk_layernorm"] = f.TryGet("blk.0.attn_q_norm.weight", out _);
        },
    };

    public static GgufFamily Starcoder2 { get; } = new()
    {
        Architecture = "starcoder2", HfArchitecture = "Starcoder2ForCausalLM", ModelType = "starcoder2",
        Keys = [.. Sizes, DecoderKeys.RopeBase, GgufKey.Float("attention.layer_norm_epsilon", "norm_epsilon", 1e-5)],
        Tensors = c => [.. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. DecoderTensors.PreNorms(hf, gguf), .. DecoderTensors.Attention(c, hf, gguf), .. TensorRule.Layer($"{hf}.mlp.c_fc", $"{gguf}.ffn_up"), .. TensorRule.Layer($"{hf}.mlp.c_proj", $"{gguf}.ffn_down"),
        ])],
        Complete = (json, f) => json["use_bias"] = f.TryGet("blk.0.attn_q.bias", out _),
    };

    private static GgufKey NoScaling => GgufKey.Derived("rope.scaling.type", _ => GgufValue.Of("none"));

    private static IEnumerable<TensorRule> Ends => [TensorRule.PlusOne("model.norm", "output_norm"), TensorRule.Copy("model.embed_tokens.weight", "token_embd.weight")];

    private static IEnumerable<TensorRule> Body(ConfigReader c, string hf, string gguf) => [.. DecoderTensors.Attention(c, hf, gguf), .. DecoderTensors.GatedMlp($"{hf}.mlp", gguf)];

    private static IEnumerable<TensorRule> FourNorms(string hf, string gguf) =>
    [
        TensorRule.PlusOne($"{hf}.input_layernorm", $"{gguf}.attn_norm"), TensorRule.PlusOne($"{hf}.post_attention_layernorm", $"{gguf}.post_attention_norm"),
        TensorRule.PlusOne($"{hf}.pre_feedforward_layernorm", $"{gguf}.ffn_norm"), TensorRule.PlusOne($"{hf}.post_feedforward_layernorm", $"{gguf}.post_ffw_norm"),
    ];

    private static IEnumerable<TensorRule> Parallel(ConfigReader c) => [.. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [.. TensorRule.Layer($"{hf}.input_layernorm", $"{gguf}.attn_norm"), .. DecoderTensors.HeadNorms(hf, gguf), .. Body(c, hf, gguf)])];

    private static void Activation(JsonObject json, GgufFile f)
    {
        json["hidden_activation"] = "gelu_pytorch_tanh";
        json["hidden_act"] = "gelu_pytorch_tanh";
    }

    // The scale of the scores has no key in GGUF; the format takes that of the head, as all published sizes but one have it.
    private static void Scaled(JsonObject json, GgufFile f)
    {
        Activation(json, f);
        json["query_pre_attn_scalar"] = json["head_dim"]?.GetValue<long>();
    }

    private static bool IsHead(string name) => name == "lm_head.weight";
}
