namespace Banyan.Checkpoints.Gguf;

/// <summary>Qwen 2 and 3 with their mixtures, OLMo 2 and OLMoE, EXAONE 4, Phi-3 and GLM-4: half-split rotary pairs on both sides, so nothing is reordered.</summary>
internal static class QwenFamilies
{
    public static GgufFamily Qwen2 { get; } = new() { Architecture = "qwen2", HfArchitecture = "Qwen2ForCausalLM", ModelType = "qwen2", Keys = DecoderKeys.Llama(), Tensors = c => DecoderTensors.Llama(c) };

    public static GgufFamily Qwen3 { get; } = new()
    {
        Architecture = "qwen3", HfArchitecture = "Qwen3ForCausalLM", ModelType = "qwen3", Keys = DecoderKeys.Llama(headDim: true), Tensors = c => DecoderTensors.Llama(c),
    };

    public static GgufFamily Qwen2Moe { get; } = new()
    {
        Architecture = "qwen2moe", HfArchitecture = "Qwen2MoeForCausalLM", ModelType = "qwen2_moe",
        Keys = [.. DecoderKeys.Llama(), .. DecoderKeys.Experts(), GgufKey.Int("expert_feed_forward_length", "moe_intermediate_size"), GgufKey.Int("expert_shared_feed_forward_length", "shared_expert_intermediate_size")],
        Tensors = c =>
        [
            .. Mixture(c), .. DecoderTensors.Layers(c, (hf, gguf) =>
                [TensorRule.Copy($"{hf}.mlp.shared_expert_gate.weight", $"{gguf}.ffn_gate_inp_shexp.weight"), .. DecoderTensors.GatedMlp($"{hf}.mlp.shared_expert", gguf, "_shexp")]),
        ],
        Complete = (json, f) => json["norm_topk_prob"] = false,
    };

    public static GgufFamily Qwen3Moe { get; } = new()
    {
        Architecture = "qwen3moe", HfArchitecture = "Qwen3MoeForCausalLM", ModelType = "qwen3_moe",
        Keys = [.. DecoderKeys.Llama(headDim: true), .. DecoderKeys.Experts(), GgufKey.Int("expert_feed_forward_length", "moe_intermediate_size")], Tensors = Mixture, Complete = (json, f) => json["norm_topk_prob"] = true,
    };

    public static GgufFamily Olmoe { get; } = new()
    {
        Architecture = "olmoe", HfArchitecture = "OlmoeForCausalLM", ModelType = "olmoe", Keys = [.. DecoderKeys.Llama(), .. DecoderKeys.Experts()], Tensors = Mixture, Complete = (json, f) => json["norm_topk_prob"] = false,
    };

    public static GgufFamily Olmo2 { get; } = new() { Architecture = "olmo2", HfArchitecture = "Olmo2ForCausalLM", ModelType = "olmo2", Keys = DecoderKeys.Llama(), Tensors = PostNorms };

    public static GgufFamily Exaone4 { get; } = new()
    {
        Architecture = "exaone4", HfArchitecture = "Exaone4ForCausalLM", ModelType = "exaone4", Keys = [.. DecoderKeys.Llama(headDim: true), DecoderKeys.VocabSize, DecoderKeys.Window()], Tensors = PostNorms,
        Complete = (json, f) => json["sliding_window_pattern"] = json["sliding_window"] is null ? null : 4,
    };

    public static GgufFamily Phi3 { get; } = new()
    {
        Architecture = "phi3", HfArchitecture = "Phi3ForCausalLM", ModelType = "phi3",
        Keys =
        [
            LongRope.AttentionFactor, LongRope.OriginalLength, .. DecoderKeys.Sizes(), DecoderKeys.KeyValueHeads, DecoderKeys.RmsEps, DecoderKeys.RotaryShare(), DecoderKeys.RopeBase, DecoderKeys.Window(always: true),
        ],
        Tensors = c => [.. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. DecoderTensors.PreNorms(hf, gguf), .. TensorRule.Layer($"{hf}.self_attn.qkv_proj", $"{gguf}.attn_qkv"), .. TensorRule.Layer($"{hf}.self_attn.o_proj", $"{gguf}.attn_output"),
            .. TensorRule.Layer($"{hf}.mlp.gate_up_proj", $"{gguf}.ffn_up"), .. TensorRule.Layer($"{hf}.mlp.down_proj", $"{gguf}.ffn_down"),
        ])],
        Complete = LongRope.Recognize, Generated = LongRope.Factors,
    };

    public static GgufFamily PhiMoe { get; } = new()
    {
        Architecture = "phimoe", HfArchitecture = "PhiMoEForCausalLM", ModelType = "phimoe", Keys = [.. Phi3.Keys, .. DecoderKeys.Experts("num_local_experts").Reverse()],
        Tensors = c => [.. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. DecoderTensors.PreNorms(hf, gguf), .. DecoderTensors.Attention(c, hf, gguf), TensorRule.Copy($"{hf}.block_sparse_moe.gate.weight", $"{gguf}.ffn_gate_inp.weight"),
            .. DecoderTensors.Experts($"{hf}.block_sparse_moe.experts", gguf, c.GetInt("num_local_experts", min: 1), "w1", "w3", "w2"),
        ])],
        Complete = (json, f) =>
        {
            json["attention_bias"] = f.TryGet("blk.0.attn_q.bias", out _);
            json["lm_head_bias"] = f.TryGet("output.bias", out _);
            LongRope.Recognize(json, f);
        },
        Generated = LongRope.Factors,
    };

    public static GgufFamily Glm4 { get; } = new()
    {
        Architecture = "glm4", HfArchitecture = "Glm4ForCausalLM", ModelType = "glm4", Keys = [.. DecoderKeys.Llama(headDim: true), DecoderKeys.RotaryShare(defaultValue: 0.5)],
        Tensors = c => [.. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. DecoderTensors.PreNorms(hf, gguf), .. DecoderTensors.Attention(c, hf, gguf), .. TensorRule.Layer($"{hf}.post_self_attn_layernorm", $"{gguf}.post_attention_norm"),
            .. TensorRule.Layer($"{hf}.post_mlp_layernorm", $"{gguf}.post_ffw_norm"), .. TensorRule.Layer($"{hf}.mlp.gate_up_proj", $"{gguf}.ffn_up"), .. TensorRule.Layer($"{hf}.mlp.down_proj", $"{gguf}.ffn_down"),
        ])],
        Complete = (json, f) => json["attention_bias"] = f.TryGet("blk.0.attn_q.bias", out _),
    };

    private static IEnumerable<TensorRule> Mixture(ConfigReader c) => [.. DecoderTensors.Llama(c), .. DecoderTensors.Layers(c, (hf, gguf) =>
        [TensorRule.Copy($"{hf}.mlp.gate.weight", $"{gguf}.ffn_gate_inp.weight"), .. DecoderTensors.Experts($"{hf}.mlp.experts", gguf, c.GetInt("num_experts", min: 1))])];

    // Norms behind attention and MLP instead of before them.
    private static IEnumerable<TensorRule> PostNorms(ConfigReader c) => [.. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
    [
        .. TensorRule.Layer($"{hf}.post_attention_layernorm", $"{gguf}.post_attention_norm"), .. TensorRule.Layer($"{hf}.post_feedforward_layernorm", $"{gguf}.post_ffw_norm"),
        .. DecoderTensors.Attention(c, hf, gguf), .. DecoderTensors.HeadNorms(hf, gguf), .. DecoderTensors.GatedMlp($"{hf}.mlp", gguf),
    ])];
}
