using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// LFM 2 (Liquid AI 2025, arXiv:2511.23404): most layers are short gated convolutions, which need to remember a few tokens only; the others are attention.

/// <summary>out(c * conv(b * x)), b, c and x from one layer.</summary>
public sealed class Lfm2Convolution : Module
{
    private readonly int _layer;
    private readonly Linear _in, _out;
    private readonly Conv _conv;

    internal Lfm2Convolution(DecoderConfig c, int layer, int kernel, bool bias)
    {
        _layer = layer;
        Initializer init = Initializer.Normal(c.InitializerRange);
        _conv = Add("conv", new Conv(c.HiddenSize, c.HiddenSize, [kernel], new ConvOptions { Groups = c.HiddenSize, Bias = bias }));
        _in = Add("in_proj", new Linear(c.HiddenSize, 3 * c.HiddenSize, bias, initializer: init));
        _out = Add("out_proj", new Linear(c.HiddenSize, c.HiddenSize, bias, initializer: init));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        long width = x.Shape[1];
        (Tensor b, Tensor c, Tensor u) = _in.Forward(batch.ZeroPadding(x), pass).Split(1, width, width, width);
        u *= b;
        u = batch.Recur(_layer, "conv", (span, past) => u.Slice(0, span.QueryStart, span.QueryLength).CausalConvolution(_conv.Weight, _conv.Bias?.Value, past));
        return pass.Visit(this, _out.Forward(c * u, pass));
    }
}

/// <summary>Attention with norms of queries and keys before they rotate.</summary>
public sealed class Lfm2Attention : GroupedQueryAttention
{
    private readonly RmsNorm _queryNorm, _keyNorm;

    internal Lfm2Attention(DecoderConfig c, int layer, RotaryEmbedding rotary) : base(c, layer, rotary, outName: "out_proj")
    {
        _queryNorm = Add("q_layernorm", new RmsNorm(c.HeadDim, c.NormEps));
        _keyNorm = Add("k_layernorm", new RmsNorm(c.HeadDim, c.NormEps));
    }

    /// <inheritdoc/>
    protected override (Tensor Q, Tensor K) Meet(Tensor q, Tensor k, TokenBatch batch, ForwardPass pass) =>
        base.Meet(_queryNorm.Forward(q, pass), _keyNorm.Forward(k, pass), batch, pass);
}

/// <summary>x + convolution or attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class Lfm2Block : Block
{
    private readonly Lfm2Convolution? _conv;
    private readonly Lfm2Attention? _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _operatorNorm, _mlpNorm;

    internal Lfm2Block(DecoderConfig c, int layer, RotaryEmbedding rotary, bool isAttention, int kernel, bool bias)
    {
        _attention = isAttention ? Add("self_attn", new Lfm2Attention(c, layer, rotary)) : null;
        _conv = isAttention ? null : Add("conv", new Lfm2Convolution(c, layer, kernel, bias));
        _mlp = Add("feed_forward", new GatedMlp(c.HiddenSize, c.IntermediateSize, "silu", initializerRange: c.InitializerRange, gate: "w1", up: "w3", down: "w2"));
        _operatorNorm = Add("operator_norm", new RmsNorm(c.HiddenSize, c.NormEps));
        _mlpNorm = Add("ffn_norm", new RmsNorm(c.HiddenSize, c.NormEps));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _operatorNorm.Forward(x, pass);
        x += _attention is not null ? _attention.Forward(h, batch, pass) : _conv!.Forward(h, batch, pass);
        return x + _mlp.Forward(_mlpNorm.Forward(x, pass), pass);
    }
}

/// <summary>LFM 2 with its language-model head: <c>Lfm2ForCausalLM</c>.</summary>
public sealed class Lfm2 : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 65536, HiddenSize = 2560, IntermediateSize = 12288, NumKeyValueHeads = 8, MaxPositionEmbeddings = 128000, NormEps = 1e-5, TieWordEmbeddings = true, PadTokenId = 0, Rope = new() { Theta = 1e6 },
    };

    /// <summary>A model without weights; initialise or load it.</summary>
    public Lfm2(ConfigReader config) : this(config, Read(config))
    {
    }

    private Lfm2(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c))
    {
    }

    // The width of the MLP is worked out from a larger one, as Llama's was.
    private static DecoderConfig Read(ConfigReader config)
    {
        DecoderConfig c = DecoderConfig.Read(config, Defaults, new DecoderKeys(NormEps: "norm_eps"));
        if (!config.GetBool("block_auto_adjust_ff_dim", true))
        {
            return c;
        }
        int of = config.GetInt("block_multiple_of", 256, min: 1, max: 1 << 20), inner = (int)(2L * c.IntermediateSize / 3);
        inner = (int)(config.GetDouble("block_ffn_dim_multiplier", 1, min: 0) * inner);
        return c with { IntermediateSize = (inner + of - 1) / of * of };
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        long[] full = config.Has("full_attn_idxs") ? config.GetLongs("full_attn_idxs") : [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => (long)i)];
        bool[] isAttention = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => c.LayerTypes.Count > 0 ? c.LayerTypes[i] == "full_attention" : full.Contains(i))];
        int kernel = config.GetInt("conv_L_cache", 3, min: 2, max: 1 << 10);
        bool bias = config.GetBool("conv_bias", false);
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new Lfm2Block(c, i, rotary, isAttention[i], kernel, bias), new RmsNorm(c.HiddenSize, c.NormEps), new StackNames(Norm: "embedding_norm"), null, rotary);
    }
}
