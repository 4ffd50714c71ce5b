namespace Banyan.Checkpoints.Gguf;

/// <summary>Tensors that most decoders share, under Llama's names.</summary>
internal static class DecoderTensors
{
    /// <summary>Embedding, final norm, head.</summary>
    public static IEnumerable<TensorRule> Ends { get; } =
    [
        TensorRule.Copy("model.embed_tokens.weight", "token_embd.weight"), .. TensorRule.Layer("model.norm", "output_norm"), .. TensorRule.Layer("lm_head", "output"),
    ];

    /// <summary>What each layer has: <paramref name="layer"/> makes the rules from the two prefixes (<c>model.layers.N</c> and <c>blk.N</c>, without a dot).</summary>
    public static IEnumerable<TensorRule> Layers(ConfigReader c, Func<string, string, IEnumerable<TensorRule>> layer, string hf = "model.layers", string count = "num_hidden_layers")
    {
        int layers = c.GetInt(count, min: 0, max: 4096);
        return Enumerable.Range(0, layers).SelectMany(i => layer($"{hf}.{i}", $"blk.{i}"));
    }

    /// <summary>Query, key, value, output; <paramref name="turn"/>: rotary pairs of query and key become neighbours.</summary>
    public static IEnumerable<TensorRule> Attention(ConfigReader c, string hf, string gguf, bool turn = false, string output = "o_proj")
    {
        int heads = c.GetInt("num_attention_heads", min: 1), groups = c.GetInt("num_key_value_heads", heads, min: 1);
        return [.. Projection("q", heads), .. Projection("k", groups), .. TensorRule.Layer($"{hf}.self_attn.v_proj", $"{gguf}.attn_v"), .. TensorRule.Layer($"{hf}.self_attn.{output}", $"{gguf}.attn_output")];

        TensorRule[] Projection(string name, int heads) => turn
            ? TensorRule.Rotary($"{hf}.self_attn.{name}_proj", $"{gguf}.attn_{name}", heads)
            : TensorRule.Layer($"{hf}.self_attn.{name}_proj", $"{gguf}.attn_{name}");
    }

    /// <summary>The norms of query and key.</summary>
    public static IEnumerable<TensorRule> HeadNorms(string hf, string gguf) =>
        [.. TensorRule.Layer($"{hf}.self_attn.q_norm", $"{gguf}.attn_q_norm"), .. TensorRule.Layer($"{hf}.self_attn.k_norm", $"{gguf}.attn_k_norm")];

    /// <summary>Gate, up, down.</summary>
    public static IEnumerable<TensorRule> GatedMlp(string hf, string gguf, string suffix = "") =>
        [.. new[] { "gate", "up", "down" }.SelectMany(n => TensorRule.Layer($"{hf}.{n}_proj", $"{gguf}.ffn_{n}{suffix}"))];

    /// <summary>The norms before attention and before the MLP.</summary>
    public static IEnumerable<TensorRule> PreNorms(string hf, string gguf) =>
        [.. TensorRule.Layer($"{hf}.input_layernorm", $"{gguf}.attn_norm"), .. TensorRule.Layer($"{hf}.post_attention_layernorm", $"{gguf}.ffn_norm")];

    /// <summary>Experts of which each has its own tensors <c>{prefix}.{e}.{name}.weight</c>.</summary>
    public static IEnumerable<TensorRule> Experts(string prefix, string gguf, int count, string gate = "gate_proj", string up = "up_proj", string down = "down_proj") =>
    [
        TensorRule.Stacked($"{prefix}.{{e}}.{gate}.weight", $"{gguf}.ffn_gate_exps.weight", count), TensorRule.Stacked($"{prefix}.{{e}}.{up}.weight", $"{gguf}.ffn_up_exps.weight", count),
        TensorRule.Stacked($"{prefix}.{{e}}.{down}.weight", $"{gguf}.ffn_down_exps.weight", count),
    ];

    /// <summary>A whole Llama: norms, attention, gated MLP.</summary>
    public static IEnumerable<TensorRule> Llama(ConfigReader c, bool turn = false) =>
        [.. Ends, .. Layers(c, (hf, gguf) => [.. PreNorms(hf, gguf), .. Attention(c, hf, gguf, turn), .. HeadNorms(hf, gguf), .. GatedMlp($"{hf}.mlp", gguf)])];
}
