using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Mistral (Jiang et al. 2023, arXiv:2310.06825): Llama's layers with a sliding window: information travels one window further in each layer.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class MistralBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal MistralBlock(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary) { Window = c.SlidingWindow });
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

/// <summary>Mistral with its language-model head: <c>MistralForCausalLM</c>.</summary>
public sealed class Mistral : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { IntermediateSize = 14336, NumKeyValueHeads = 8, MaxPositionEmbeddings = 131072, SlidingWindow = 4096 };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Mistral(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private Mistral(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c))
    {
    }

    private static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new MistralBlock(c, i, rotary), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
