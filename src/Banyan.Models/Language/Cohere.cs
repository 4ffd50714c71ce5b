using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Command R (Cohere 2024), PaLM's block (Chowdhery et al. 2022, arXiv:2204.02311): attention and MLP read the same norm and are added together;
// layer norms without biases, neighbours rotate as pairs, a tied head whose logits are scaled.

/// <summary>A norm over each head with weights of its own.</summary>
public sealed class CohereHeadNorm : Module
{
    private readonly Parameter _weight;
    private readonly double _eps;

    internal CohereHeadNorm(int heads, int dim, double eps)
    {
        _weight = Add("weight", [heads, dim], Initializer.Ones);
        _eps = eps;
    }

    internal Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, x.LayerNorm(eps: _eps) * _weight.Value);
}

/// <summary>Attention with norms of queries and keys where the configuration says so.</summary>
public sealed class CohereAttention : GroupedQueryAttention
{
    private readonly CohereHeadNorm? _queryNorm, _keyNorm;

    internal CohereAttention(DecoderConfig c, int layer, RotaryEmbedding? rotary, bool norms) : base(c, layer, rotary)
    {
        _queryNorm = norms ? Add("q_norm", new CohereHeadNorm(c.NumAttentionHeads, c.HeadDim, c.NormEps)) : null;
        _keyNorm = norms ? Add("k_norm", new CohereHeadNorm(c.NumKeyValueHeads, c.HeadDim, c.NormEps)) : null;
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) =>
        base.Meet(_queryNorm?.Forward(q, pass) ?? q, _keyNorm?.Forward(k, pass) ?? k, batch, pass);
}

/// <summary>x + attention(norm(x)) + mlp(norm(x)).</summary>
public sealed class CohereBlock : Block
{
    private readonly CohereAttention _attention;
    private readonly GatedMlp _mlp;
    private readonly LayerNorm _norm;

    internal CohereBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, bool norms)
    {
        _attention = Add("self_attn", new CohereAttention(c, layer, rotary, norms));
        _mlp = Add("mlp", new GatedMlp(c));
        _norm = Add("input_layernorm", new LayerNorm(c.HiddenSize, c.NormEps, bias: false));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _norm.Forward(x, pass);
        return x + _attention.Forward(h, batch, pass) + _mlp.Forward(h, pass);
    }
}

/// <summary>Command R with its language-model head: <c>CohereForCausalLM</c>.</summary>
public sealed class Cohere : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 256000, HiddenSize = 8192, IntermediateSize = 22528, NumHiddenLayers = 40, NumAttentionHeads = 64, MaxPositionEmbeddings = 8192, NormEps = 1e-5,
        TieWordEmbeddings = true, PadTokenId = 0,
    };

    private readonly double _logitScale;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Cohere(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, new DecoderKeys(NormEps: "layer_norm_eps")))
    {
    }

    private Cohere(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c)) => _logitScale = config.GetDouble("logit_scale", 0.0625);

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => base.Hidden(batch, pass) * _logitScale;

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim, interleaved: true);
        bool norms = config.GetBool("use_qk_norm", false);
        return new DecoderStack(c, i => new CohereBlock(c, i, rotary, norms), new LayerNorm(c.HiddenSize, c.NormEps, bias: false), null, null, rotary);
    }
}
