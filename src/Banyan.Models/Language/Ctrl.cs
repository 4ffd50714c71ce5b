using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// CTRL (Keskar et al. 2019, arXiv:1909.05858): sinusoids, embeddings times sqrt(C), norms before each part, a tied head with a bias. The first token
// names the kind of text.

/// <summary>Attention under CTRL's names.</summary>
public sealed class CtrlAttention : CausalAttention
{
    private readonly Linear _q, _k, _v, _out;

    internal CtrlAttention(DecoderConfig c, int layer) : base(c, layer, null)
    {
        Linear Project(string name) => Add(name, new Linear(c.HiddenSize, c.HiddenSize, initializer: Initializer.Normal(c.InitializerRange)));
        (_q, _k, _v, _out) = (Project("Wq"), Project("Wk"), Project("Wv"), Project("dense"));
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K, Tensor V) Project(Tensor x, ForwardPass pass) => (Heads(_q.Forward(x, pass)), Heads(_k.Forward(x, pass)), Heads(_v.Forward(x, pass)));

    /// <inheritdoc/>
    protected override Tensor Out(Tensor o, Tensor x, ForwardPass pass) => _out.Forward(o, pass);
}

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class CtrlBlock : Block
{
    private readonly CtrlAttention _attention;
    private readonly Mlp _mlp;
    private readonly LayerNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop1, _drop2;

    internal CtrlBlock(DecoderConfig c, int layer, double dropout)
    {
        _attention = Add("multi_head_attention", new CtrlAttention(c, layer));
        _mlp = Add("ffn", new Mlp(c.HiddenSize, c.IntermediateSize, "relu", true, "0", "2", c.InitializerRange));
        _attentionNorm = Add("layernorm1", new LayerNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("layernorm2", new LayerNorm(c.HiddenSize, c.NormEps));
        _drop1 = Add("dropout1", new Dropout(dropout));
        _drop2 = Add("dropout2", new Dropout(dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop1.Forward(_attention.Forward(_attentionNorm.Forward(x, pass), batch, pass), pass);
        return x + _drop2.Forward(_mlp.Forward(_mlpNorm.Forward(x, pass), pass), pass);
    }
}

/// <summary>The stack: sinusoids are added to the embeddings.</summary>
public sealed class CtrlStack : DecoderStack
{
    private readonly SinusoidalPositions _positions;
    private readonly Dropout _drop;

    internal CtrlStack(DecoderConfig c, double dropout, double embeddingDropout)
        : base(c, i => new CtrlBlock(c, i, dropout), new LayerNorm(c.HiddenSize, c.NormEps), new StackNames("w", "h", "layernorm"))
    {
        _positions = new SinusoidalPositions(c.HiddenSize, steps: c.HiddenSize / 2.0);
        _drop = Add("dropout", new Dropout(embeddingDropout));
    }

    /// <inheritdoc/>
    protected override Tensor Embed(Tensor x, TokenBatch batch, ForwardPass pass) => _drop.Forward(base.Embed(x, batch, pass) + _positions.Of(batch.Positions), pass);
}

/// <summary>CTRL with its language-model head: <c>CTRLLMHeadModel</c>.</summary>
public sealed class Ctrl : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 246534, HiddenSize = 1280, IntermediateSize = 8192, NumHiddenLayers = 48, NumAttentionHeads = 16, MaxPositionEmbeddings = 256, NormEps = 1e-6, HiddenAct = "relu",
        TieWordEmbeddings = true,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Ctrl(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, DecoderKeys.Gpt with { Inner = "dff" }) with { PadTokenId = null })
    {
    }

    private Ctrl(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "transformer", headBias: true)
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c) =>
        new CtrlStack(c, config.GetDouble("resid_pdrop", 0.1, min: 0, max: 0.999), config.GetDouble("embd_pdrop", 0.1, min: 0, max: 0.999)) { EmbeddingScale = Math.Sqrt(c.HiddenSize) };
}
