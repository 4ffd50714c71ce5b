using System.Text.Json.Nodes;

namespace Banyan.Checkpoints.Gguf;

// Llama and the decoders that follow it closely.

/// <summary>Llama, Mistral, Mixtral (one GGUF architecture, told apart by what the file has), and relatives with the same layout.</summary>
internal static class LlamaFamilies
{
    private static GgufKey[] Keys { get; } = [.. DecoderKeys.Llama(headDim: true), DecoderKeys.VocabSize, DecoderKeys.WholeHeadTurns];

    public static GgufFamily Llama { get; } = new()
    {
        Architecture = "llama", HfArchitecture = "LlamaForCausalLM", ModelType = "llama", Keys = Keys, Accepts = f => !f.Metadata.Has("llama.expert_count"),
        Tensors = c => DecoderTensors.Llama(c, turn: true), Complete = (json, f) => Complete(json, f), Generated = Llama3Rope.Factors, IsRedundant = IsBuffer,
    };

    public static GgufFamily Mistral { get; } = new()
    {
        Architecture = "llama", HfArchitecture = "MistralForCausalLM", ModelType = "mistral", Keys = Keys, Accepts = _ => false, // a GGUF file of one reads as Llama, which is the same without a window
        Tensors = c => DecoderTensors.Llama(c, turn: true), IsRedundant = IsBuffer,
    };

    public static GgufFamily Mixtral { get; } = new()
    {
        Architecture = "llama", HfArchitecture = "MixtralForCausalLM", ModelType = "mixtral", Keys = [.. DecoderKeys.Llama(), .. DecoderKeys.Experts("num_local_experts"), DecoderKeys.VocabSize, DecoderKeys.WholeHeadTurns],
        Accepts = f => f.Metadata.Has("llama.expert_count"),
        Tensors = c => [.. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. DecoderTensors.PreNorms(hf, gguf), .. DecoderTensors.Attention(c, hf, gguf, turn: true), TensorRule.Copy($"{hf}.block_sparse_moe.gate.weight", $"{gguf}.ffn_gate_inp.weight"),
            .. DecoderTensors.Experts($"{hf}.block_sparse_moe.experts", gguf, c.GetInt("num_local_experts", min: 1), "w1", "w3", "w2"),
        ])],
    };

    public static GgufFamily Arcee { get; } = new()
    {
        Architecture = "arcee", HfArchitecture = "ArceeForCausalLM", ModelType = "arcee", Keys = Keys, Tensors = c => DecoderTensors.Llama(c, turn: true), Complete = (json, f) => Complete(json, f),
    };

    public static GgufFamily SmolLm3 { get; } = new()
    {
        Architecture = "smollm3", HfArchitecture = "SmolLM3ForCausalLM", ModelType = "smollm3", Keys = [.. DecoderKeys.Llama(), DecoderKeys.VocabSize, DecoderKeys.WholeHeadTurns],
        Tensors = c => DecoderTensors.Llama(c, turn: true), Complete = (json, f) => json["no_rope_layer_interval"] = 4, // which the format fixes
    };

    public static GgufFamily Granite { get; } = new()
    {
        Architecture = "granite", HfArchitecture = "GraniteForCausalLM", ModelType = "granite", Keys = GraniteKeys([]), Tensors = c => DecoderTensors.Llama(c, turn: true), Complete = (json, f) => Complete(json, f),
    };

    public static GgufFamily GraniteMoe { get; } = new()
    {
        Architecture = "granitemoe", HfArchitecture = "GraniteMoeForCausalLM", ModelType = "granitemoe", Keys = GraniteKeys(DecoderKeys.Experts("num_local_experts")),
        Tensors = c => [.. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
        [
            .. DecoderTensors.PreNorms(hf, gguf), .. DecoderTensors.Attention(c, hf, gguf, turn: true),
            TensorRule.Copy($"{hf}.block_sparse_moe.router.layer.weight", $"{gguf}.ffn_gate_inp.weight"), TensorRule.Copy($"{hf}.block_sparse_moe.output_linear.weight", $"{gguf}.ffn_down_exps.weight"),
            Halves($"{hf}.block_sparse_moe.input_linear.weight", $"{gguf}.ffn_gate_exps.weight", $"{gguf}.ffn_up_exps.weight", c.GetInt("num_local_experts", min: 1)),
        ])],
    };

    public static GgufFamily Olmo { get; } = new()
    {
        Architecture = "olmo", HfArchitecture = "OlmoForCausalLM", ModelType = "olmo",
        Keys = [.. DecoderKeys.Sizes(), DecoderKeys.KeyValueHeads, .. DecoderKeys.RopeScaling, DecoderKeys.RopeBase, GgufKey.Derived("attention.layer_norm_epsilon", _ => GgufValue.Of(1e-5f)), GgufKey.Float("attention.clamp_kqv", "clip_qkv")],
        Tensors = c => DecoderTensors.Llama(c, turn: true),
    };

    public static GgufFamily Nemotron { get; } = new()
    {
        Architecture = "nemotron", HfArchitecture = "NemotronForCausalLM", ModelType = "nemotron",
        Keys =
        [
            .. DecoderKeys.Sizes(), DecoderKeys.KeyValueHeads, DecoderKeys.RopeBase, GgufKey.Derived("attention.layer_norm_rms_epsilon", c => GgufValue.Of((float)c.GetDouble("norm_eps"))), .. DecoderKeys.HeadDims(true),
            DecoderKeys.VocabSize, GgufKey.Float("attention.layer_norm_epsilon", "norm_eps"), DecoderKeys.RotaryShare(defaultValue: 0.5), GgufKey.Derived("rope.scaling.type", c => GgufValue.Of("none")),
        ],
        Tensors = c =>
        [
            TensorRule.PlusOne("model.norm", "output_norm"), .. DecoderTensors.Ends, .. DecoderTensors.Layers(c, (hf, gguf) =>
            [
                TensorRule.PlusOne($"{hf}.input_layernorm", $"{gguf}.attn_norm"), TensorRule.PlusOne($"{hf}.post_attention_layernorm", $"{gguf}.ffn_norm"), .. DecoderTensors.PreNorms(hf, gguf),
                .. DecoderTensors.Attention(c, hf, gguf), .. DecoderTensors.GatedMlp($"{hf}.mlp", gguf),
            ]),
        ],
    };

    // (E, 2F, in) with gate and up one after the other in each expert.
    internal static TensorRule Halves(string hf, string gate, string up, int experts) => new([hf], [gate, up])
    {
        Rows = (part, rows, _) => [.. Enumerable.Range(0, experts).SelectMany(e => RowOrders.Range((2 * e + part) * (rows / experts / 2), rows / experts / 2))],
        GgufShape = (s, _) => [s[0][0], s[0][1] / 2, s[0][2]],
        HfShape = s => [s[0][0], s[0][1] * 2, s[0][2]],
    };

    private static GgufKey[] GraniteKeys(GgufKey[] experts) =>
    [
        .. DecoderKeys.Llama(), .. experts, DecoderKeys.VocabSize, DecoderKeys.WholeHeadTurns, GgufKey.Float("attention.scale", "attention_multiplier"), GgufKey.Float("embedding_scale", "embedding_multiplier"),
        GgufKey.Float("residual_scale", "residual_multiplier"), GgufKey.Float("logit_scale", "logits_scaling"),
    ];

    private static void Complete(JsonObject json, GgufFile f)
    {
        json["attention_bias"] = f.TryGet("blk.0.attn_q.bias", out _);
        json["mlp_bias"] = f.TryGet("blk.0.ffn_down.bias", out _);
        Llama3Rope.Recognize(json, f);
    }

    private static bool IsBuffer(string name) => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);
}
