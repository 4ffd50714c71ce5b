using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// OPT (Zhang et al. 2022, arXiv:2205.01068): GPT-3's layers with ReLU; learned positions that count visible tokens and start at row 2. The size with
// 350M parameters has its norms behind each part and an embedding narrower than its layers.

/// <summary>x + attention(norm(x)), then x + mlp(norm(x)); or norm(x + ...) for both.</summary>
public sealed class OptBlock : Block
{
    private readonly GroupedQueryAttention _attention;
    private readonly Linear _up, _down;
    private readonly LayerNorm _attentionNorm, _mlpNorm;
    private readonly Dropout _drop1, _drop2;
    private readonly Func<Tensor, Tensor> _act;
    private readonly bool _before;

    internal OptBlock(DecoderConfig c, int layer, OptSettings s)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _before = s.NormBefore;
        _attention = Add("self_attn", new GroupedQueryAttention(c, layer, null, s.Bias, outName: "out_proj") { Dropout = s.AttentionDropout });
        _attentionNorm = Add("self_attn_layer_norm", new LayerNorm(c.HiddenSize, c.NormEps));
        _up = Add("fc1", new Linear(c.HiddenSize, c.IntermediateSize, s.Bias, initializer: init));
        _down = Add("fc2", new Linear(c.IntermediateSize, c.HiddenSize, s.Bias, initializer: init));
        _mlpNorm = Add("final_layer_norm", new LayerNorm(c.HiddenSize, c.NormEps));
        _drop1 = Add("dropout1", new Dropout(s.Dropout));
        _drop2 = Add("dropout2", new Dropout(s.Dropout));
        _act = Activations.Get(c.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        x += _drop1.Forward(_attention.Forward(_before ? _attentionNorm.Forward(x, pass) : x, batch, pass), pass);
        x = _before ? x : _attentionNorm.Forward(x, pass);
        x += _drop2.Forward(_down.Forward(_act(_up.Forward(_before ? _mlpNorm.Forward(x, pass) : x, pass)), pass), pass);
        return _before ? x : _mlpNorm.Forward(x, pass);
    }
}

/// <summary>What only OPT's configuration says.</summary>
/// <param name="NormBefore">Whether norms stand before each part.</param>
/// <param name="Bias">Whether linear layers have biases.</param>
/// <param name="Dropout">Dropout of what each part adds.</param>
/// <param name="AttentionDropout">Dropout of attention weights.</param>
public sealed record OptSettings(bool NormBefore, bool Bias, double Dropout, double AttentionDropout);

/// <summary>The stack: projections from and to a narrower embedding where there is one.</summary>
public sealed class OptStack : DecoderStack
{
    private const int Offset = 2;

    private readonly Embedding _positions;
    private readonly Linear? _in, _out;

    internal OptStack(DecoderConfig c, OptSettings s, int width, bool norm)
        : base(c, i => new OptBlock(c, i, s), norm ? new LayerNorm(c.HiddenSize, c.NormEps) : null, new StackNames(Norm: "final_layer_norm"), width)
    {
        _positions = Add("embed_positions", new Embedding(c.MaxPositionEmbeddings + Offset, c.HiddenSize, Initializer.Normal(c.InitializerRange)));
        _in = width == c.HiddenSize ? null : Add("project_in", new Linear(width, c.HiddenSize, bias: false));
        _out = width == c.HiddenSize ? null : Add("project_out", new Linear(c.HiddenSize, width, bias: false));
    }

    /// <inheritdoc/>
    protected override Tensor Embed(Tensor x, TokenBatch batch, ForwardPass pass) =>
        (_in?.Forward(x, pass) ?? x) + _positions.Forward(batch.CountedPositions() + Offset, pass);

    /// <inheritdoc/>
    protected override Tensor Leave(Tensor x, ForwardPass pass) => _out?.Forward(x, pass) ?? x;
}

/// <summary>OPT with its language-model head: <c>OPTForCausalLM</c>.</summary>
public sealed class Opt : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 50272, HiddenSize = 768, IntermediateSize = 3072, NumHiddenLayers = 12, NumAttentionHeads = 12, NormEps = 1e-5, HiddenAct = "relu", TieWordEmbeddings = true, PadTokenId = 1,
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Opt(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, new DecoderKeys(Inner: "ffn_dim", NormEps: "layer_norm_eps", Act: "activation_function")))
    {
    }

    private Opt(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c), "model.decoder")
    {
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        ConfigChecks.Only(config, "layer_norm_elementwise_affine", true, "norms without weights are not supported");
        var s = new OptSettings(config.GetBool("do_layer_norm_before", true), config.GetBool("enable_bias", true), config.GetDouble("dropout", 0.1, min: 0, max: 0.999),
            config.GetDouble("attention_dropout", 0, min: 0, max: 0.999));
        return new OptStack(c, s, config.GetInt("word_embed_proj_dim", c.HiddenSize, min: 1, max: 1 << 20), s.NormBefore && !config.GetBool("_remove_final_layer_norm", false));
    }
}
