using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Gemma (Gemma Team 2024, arXiv:2403.08295): Llama's layers with norms that multiply by 1 + weight, embeddings times sqrt(C), GeGLU and a tied head.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class GemmaBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal GemmaBlock(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary));
        _mlp = Add("mlp", new GatedMlp(c));
        _attentionNorm = Add("input_layernorm", new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1));
        _mlpNorm = Add("post_attention_layernorm", new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>Gemma with its language-model head: <c>GemmaForCausalLM</c>.</summary>
public sealed class Gemma : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 256000, HiddenSize = 3072, IntermediateSize = 24576, NumHiddenLayers = 28, NumAttentionHeads = 16, NumKeyValueHeads = 16, HeadDim = 256,
        MaxPositionEmbeddings = 8192, HiddenAct = "gelu_pytorch_tanh", TieWordEmbeddings = true, PadTokenId = 0,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Gemma(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private Gemma(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c))
    {
    }

    private static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new GemmaBlock(c, i, rotary), new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1), null, null, rotary) { EmbeddingScale = Math.Sqrt(c.HiddenSize) };
    }
}
