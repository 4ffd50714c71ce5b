using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Llama (Touvron et al. 2023, arXiv:2302.13971): a decoder with RMS norms before each part, rotary positions, SwiGLU and grouped-query attention.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class LlamaBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal LlamaBlock(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary));
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

/// <summary>Llama with its language-model head: <c>LlamaForCausalLM</c>.</summary>
public sealed class Llama : StackedLanguageModel
{
    /// <summary>A model without weights; initialise or load it.</summary>
    public Llama(ConfigReader config) : this(config, DecoderConfig.Read(config))
    {
    }

    private Llama(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c))
    {
    }

    internal static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new LlamaBlock(c, i, rotary), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}

/// <summary>Llama with a head for classes: <c>LlamaForSequenceClassification</c>.</summary>
public sealed class LlamaForSequenceClassification : StackedClassification
{
    /// <summary>A model without weights; initialise or load it.</summary>
    public LlamaForSequenceClassification(ConfigReader config) : this(config, DecoderConfig.Read(config))
    {
    }

    private LlamaForSequenceClassification(ConfigReader config, DecoderConfig c) : base(config, c, Llama.Stack(c))
    {
    }
}
