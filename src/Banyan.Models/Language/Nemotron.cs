using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Nemotron 4 and Minitron (Parmar et al. 2024, arXiv:2402.16819): layer norms that multiply by 1 + weight, squared ReLU, partial rotation.

/// <summary>A layer norm that stores its weight minus 1.</summary>
public sealed class NemotronNorm : Norm
{
    private readonly Parameter _weight, _bias;
    private readonly double _eps;

    internal NemotronNorm(int width, double eps)
    {
        _weight = Add("weight", [width], Initializer.Zeros);
        _bias = Add("bias", [width], Initializer.Zeros);
        _eps = eps;
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, x.LayerNorm(pass.Scope.Use(_weight) + 1, _bias, _eps));
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class NemotronBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly Mlp _mlp;
    private readonly NemotronNorm _attentionNorm, _mlpNorm;

    internal NemotronBlock(DecoderConfig c, int layer, RotaryEmbedding rotary)
    {
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, rotary));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, c.MlpBias, "up_proj", "down_proj", c.InitializerRange));
        _attentionNorm = Add("input_layernorm", new NemotronNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("post_attention_layernorm", new NemotronNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _attention.Forward(_attentionNorm.Forward(x, pass), batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>Nemotron with its language-model head: <c>NemotronForCausalLM</c>.</summary>
public sealed class Nemotron : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 256000, HiddenSize = 6144, IntermediateSize = 24576, NumAttentionHeads = 48, MaxPositionEmbeddings = 4096, NormEps = 1e-5, HiddenAct = "relu2",
        PartialRotaryFactor = 0.5, InitializerRange = 0.0134,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Nemotron(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, new DecoderKeys(NormEps: "norm_eps")))
    {
    }

    private Nemotron(ConfigReader config, DecoderConfig c) : base(config, c, Stack(c))
    {
    }

    private static DecoderStack Stack(DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new NemotronBlock(c, i, rotary), new NemotronNorm(c.HiddenSize, c.NormEps), null, null, rotary);
    }
}
