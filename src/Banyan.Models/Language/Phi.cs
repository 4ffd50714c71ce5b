using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Phi 1, 1.5 and 2 (Gunasekar et al. 2023, arXiv:2306.11644): attention and MLP in parallel behind one layer norm, biases everywhere, partial rotation.

/// <summary>Attention with norms of queries and keys where the configuration says so.</summary>
public sealed class PhiAttention : GroupedQueryAttention
{
    private readonly LayerNorm? _queryNorm, _keyNorm;

    internal PhiAttention(DecoderConfig c, int layer, RotaryEmbedding rotary, bool norms) : base(c, layer, rotary, bias: true, outName: "dense")
    {
        _queryNorm = norms ? Add("q_layernorm", new LayerNorm(c.HeadDim, c.NormEps)) : null;
        _keyNorm = norms ? Add("k_layernorm", new LayerNorm(c.HeadDim, c.NormEps)) : null;
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) =>
        base.Meet(_queryNorm?.Forward(q, pass) ?? q, _keyNorm?.Forward(k, pass) ?? k, batch, pass);
}

/// <summary>x + attention(norm(x)) + mlp(norm(x)).</summary>
public sealed class PhiBlock : Block
{
    private readonly PhiAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _norm;
    private readonly Dropout _drop;

    internal PhiBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, bool norms, double dropout)
    {
        _attention = Add("self_attn", new PhiAttention(c, layer, rotary, norms));
        _mlp = Add("mlp", new Mlp(c.HiddenSize, c.IntermediateSize, c.HiddenAct, true, "fc1", "fc2", c.InitializerRange));
        _norm = Add("input_layernorm", new LayerNorm(c.HiddenSize, c.NormEps));
        _drop = Add("resid_dropout", new Dropout(dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _norm.Forward(x, pass);
        return x + _drop.Forward(_attention.Forward(h, batch, pass) + _mlp.Forward(h, pass), pass);
    }
}

/// <summary>Phi with its language-model head: <c>PhiForCausalLM</c>.</summary>
public sealed class Phi : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 51200, HiddenSize = 2048, IntermediateSize = 8192, NumHiddenLayers = 24, NormEps = 1e-5, HiddenAct = "gelu_new", PartialRotaryFactor = 0.5,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Phi(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, new DecoderKeys(NormEps: "layer_norm_eps")))
    {
    }

    private Phi(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), headBias: true)
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        bool norms = config.GetBool("qk_layernorm", false);
        double dropout = config.GetDouble("resid_pdrop", 0, min: 0, max: 0.999);
        return new DecoderStack(c, i => new PhiBlock(c, i, rotary, norms, dropout), new LayerNorm(c.HiddenSize, c.NormEps), new StackNames(Norm: "final_layernorm"), null, rotary);
    }
}
