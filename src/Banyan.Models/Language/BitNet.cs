using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// BitNet b1.58 (Ma et al. 2024, arXiv:2402.17764): Llama's layers with squared ReLU gates and norms before the output of attention and MLP, so that
// weights of -1, 0 and 1 suffice; here with unquantised linear layers.

/// <summary>Attention with a norm before its output layer.</summary>
public sealed class BitNetAttention : GroupedQueryAttention
{
    private readonly RmsNorm _norm;

    internal BitNetAttention(DecoderConfig c, int layer, RotaryEmbedding rotary) : base(c, layer, rotary) =>
        _norm = Add("attn_sub_norm", new RmsNorm(c.HiddenSize, c.NormEps));

    /// <inheritdoc/>
    protected override Tensor Out(Tensor o, Tensor x, ForwardPass pass) => base.Out(_norm.Forward(o, pass), x, pass);
}

/// <summary>down(norm(act(gate(x)) * up(x))).</summary>
public sealed class BitNetMlp : GatedMlp
{
    private readonly RmsNorm _norm;

    internal BitNetMlp(DecoderConfig c) : base(c) => _norm = Add("ffn_sub_norm", new RmsNorm(c.IntermediateSize, c.NormEps));

    /// <inheritdoc/>
    protected override Tensor Between(Tensor h, ForwardPass pass) => _norm.Forward(h, pass);
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class BitNetBlock : Block
{
    private readonly BitNetAttention _attention;
    private readonly BitNetMlp _mlp;
    private readonly RmsNorm _attentionNorm, _mlpNorm;

    internal BitNetBlock(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new BitNetAttention(c, layer, rotary));
        _mlp = Add("mlp", new BitNetMlp(c));
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

/// <summary>BitNet with its language-model head: <c>BitNetForCausalLM</c>.</summary>
public sealed class BitNet : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 128256, HiddenSize = 2560, IntermediateSize = 6912, NumHiddenLayers = 30, NumAttentionHeads = 20, NumKeyValueHeads = 5, NormEps = 1e-5, HiddenAct = "relu2",
        Rope = new() { Theta = 5e5 },
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public BitNet(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults))
    {
    }

    private BitNet(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c))
    {
    }

    private static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new BitNetBlock(c, i, rotary), new RmsNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
