using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// OLMo 2 (OLMo Team 2025, arXiv:2501.00656): norms behind each part instead of before it, and over the whole width of queries and keys.

/// <summary>Attention with norms of queries and keys before they are cut into heads.</summary>
public sealed class Olmo2Attention : GroupedQueryAttention
{
    private readonly RmsNorm _queryNorm, _keyNorm;

    internal Olmo2Attention(DecoderConfig c, int layer, RotaryEmbedding rotary) : base(c, layer, rotary)
    {
        _queryNorm = Add("q_norm", new RmsNorm(c.NumAttentionHeads * c.HeadDim, c.NormEps));
        _keyNorm = Add("k_norm", new RmsNorm(c.NumKeyValueHeads * c.HeadDim, c.NormEps));
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K, Tensor V) Project(Tensor x, ForwardPass pass) =>
        (Heads(_queryNorm.Forward(Query.Forward(x, pass), pass)), Heads(_keyNorm.Forward(Key.Forward(x, pass), pass)), Heads(Value.Forward(x, pass)));
}

/// <summary>x + norm(attention(x)), then x + norm(mlp(x)).</summary>
public sealed class Olmo2Block : Block
{
    private readonly Olmo2Attention _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal Olmo2Block(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new Olmo2Attention(c, layer, rotary));
        _mlp = Add("mlp", new GatedMlp(c));
        _attentionNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_feedforward_layernorm", new RmsNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attentionNorm.Forward(_attention.Forward(x, batch, pass), pass);
        return x + _mlpNorm.Forward(_mlp.Forward(x, pass), pass);
    }
}

/// <summary>OLMo 2 with its language-model head: <c>Olmo2ForCausalLM</c>.</summary>
public sealed class Olmo2 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { VocabSize = 50304, NormEps = 1e-5 };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Olmo2(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private Olmo2(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c))
    {
    }

    private static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new Olmo2Block(c, i, rotary), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
