using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Arcee's AFM (Arcee AI 2025, https://huggingface.co/arcee-ai/AFM-4.5B): Llama with an MLP of two layers and squared ReLU instead of SwiGLU.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class ArceeBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly Mlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal ArceeBlock(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, c.MlpBias, "up_proj", "down_proj", c.InitializerRange));
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

/// <summary>AFM with its language-model head: <c>ArceeForCausalLM</c>.</summary>
public sealed class Arcee : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new() { HiddenSize = 2560, IntermediateSize = 18432, HiddenAct = "relu2", MaxPositionEmbeddings = 4096, NormEps = 1e-5 };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Arcee(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private Arcee(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c))
    {
    }

    private static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new ArceeBlock(c, i, rotary), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
