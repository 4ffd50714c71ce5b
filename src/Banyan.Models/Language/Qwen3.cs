using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Qwen 3 (Yang et al. 2025, arXiv:2505.09388): Llama's layers with a norm over each head of queries and keys, and no biases.

/// <summary>Attention with norms of queries and keys before they rotate.</summary>
public sealed class Qwen3Attention : GroupedQueryAttention
{
    private readonly RmsNorm _queryNorm, _keyNorm;

    internal Qwen3Attention(DecoderConfig c, int layer, RotaryEmbedding rotary, bool? bias = null, bool? outBias = null) : base(c, layer, rotary, bias, outBias)
    {
        _queryNorm = Add("q_norm", new RmsNorm(c.HeadDim, c.NormEps));
        _keyNorm = Add("k_norm", new RmsNorm(c.HeadDim, c.NormEps));
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) =>
        base.Meet(_queryNorm.Forward(q, pass), _keyNorm.Forward(k, pass), batch, pass);
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class Qwen3Block : Block
{
    private readonly Qwen3Attention _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal Qwen3Block(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new Qwen3Attention(c, layer, rotary) { Window = c.WindowOf(layer) });
        _mlp = Add("mlp", new GatedMlp(c));
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>Qwen 3 with its language-model head: <c>Qwen3ForCausalLM</c>.</summary>
public sealed class Qwen3 : StackedLanguageModel
{
    internal static readonly DecoderConfig Defaults = new() { VocabSize = 151936, IntermediateSize = 22016, NumKeyValueHeads = 32, HeadDim = 128, MaxPositionEmbeddings = 32768 };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Qwen3(ConfigReader config) : this(config, Qwen2.ReadConfig(config, Defaults))
    {
    }

    private Qwen3(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c))
    {
    }

    private static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new Qwen3Block(c, i, rotary), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
