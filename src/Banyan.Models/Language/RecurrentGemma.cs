using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// RecurrentGemma (Botev et al. 2024, arXiv:2404.07839), the Griffin architecture (De et al. 2024, arXiv:2402.19427): two of three layers are gated linear recurrences, which need one vector of
// memory; the others attend to a window. T tokens, C width, W width of the recurrence, H heads.

/// <summary>
/// h_t = a_t h_(t-1) + sqrt(1 - a_t^2) (i_t x_t) with a_t = exp(-8 r_t softplus(p)): gates r and i from the input, within blocks of the width; all numbers decay by themselves.
/// </summary>
public sealed class GatedLinearRecurrence : Module
{
    private const double Sharpness = -8;

    private readonly int _layer, _heads;
    private readonly Parameter _decay, _inputWeight, _inputBias, _gateWeight, _gateBias;

    internal GatedLinearRecurrence(int layer, int width, int heads, double varianceScale)
    {
        (_layer, _heads) = (layer, heads);
        int block = width / heads;
        Initializer init = Initializer.Normal(Math.Sqrt(varianceScale / block));
        _decay = Add("recurrent_param", [width], Initializer.Of((i, _) => Decay((i + 0.5) / width)));
        _inputWeight = Add("input_gate_weight", [heads, block, block], init);
        _inputBias = Add("input_gate_bias", [heads, block], Initializer.Zeros);
        _gateWeight = Add("recurrent_gate_weight", [heads, block, block], init);
        _gateBias = Add("recurrent_gate_bias", [heads, block], Initializer.Zeros);
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        (long tokens, long width) = (x.Shape[0], x.Shape[1]);
        Tensor blocks = x.Reshape(tokens, _heads, -1).Transpose(0, 1);   // (H, T, W / H)
        Tensor Gate(Parameter weight, Parameter bias) => (blocks.MatMul(pass.Scope.Use(weight)) + pass.Scope.Use(bias).Unsqueeze(1)).Sigmoid().Transpose(0, 1).Reshape(tokens, width);
        Tensor log = Gate(_gateWeight, _gateBias) * pass.Scope.Use(_decay).Softplus() * Sharpness, a = log.Exp();
        Tensor input = x * Gate(_inputWeight, _inputBias), damped = input * (1 - (log * 2).Exp()).Sqrt();
        return pass.Visit(this, batch.Recur(_layer, "lru", (span, state) =>
        {
            Tensor Own(Tensor t, long start = 0) => t.Slice(0, span.QueryStart + start, span.QueryLength - start);
            // The first token of a sequence finds no memory and is not damped. The memory goes in as a token before the others, so that its sum rounds as within a sequence.
            Tensor before = state ?? input.Slice(0, span.QueryStart, 1);
            Tensor fed = Tensor.Cat([before, Own(damped, state is null ? 1 : 0)], 0), keeps = state is null ? Own(a) : Tensor.Cat([a.Slice(0, span.QueryStart, 1), Own(a)], 0);
            Tensor h = keeps.LinearRecurrence(fed, 0);
            return (h.Slice(0, h.Shape[0] - span.QueryLength, span.QueryLength), h.Slice(0, h.Shape[0] - 1, 1));
        }));
    }

    // New numbers keep 0.9 to 0.999 of themselves each step.
    private static double Decay(double share)
    {
        double keep = Math.Sqrt(share * (0.999 * 0.999 - 0.9 * 0.9) + 0.9 * 0.9);
        return Math.Log(Math.Exp(-0.5 * Math.Log(keep * keep)) - 1);
    }
}

/// <summary>out(recurrence(convolution(x)) * gelu(y)).</summary>
public sealed class GriffinRecurrence : Module
{
    private readonly int _layer;
    private readonly Linear _x, _y, _out;
    private readonly Conv _conv;
    private readonly GatedLinearRecurrence _recurrence;
    private readonly Func<Tensor, Tensor> _act;

    internal GriffinRecurrence(DecoderConfig c, int layer, int width, int kernel, double varianceScale)
    {
        _layer = layer;
        Initializer init = Initializer.Normal(1 / Math.Sqrt(c.HiddenSize));
        _y = Add("linear_y", new Linear(c.HiddenSize, width, initializer: init));
        _x = Add("linear_x", new Linear(c.HiddenSize, width, initializer: init));
        _out = Add("linear_out", new Linear(width, c.HiddenSize, initializer: init));
        _conv = Add("conv_1d", new Conv(width, width, [kernel], new ConvOptions { Groups = width }));
        _recurrence = Add("rg_lru", new GatedLinearRecurrence(layer, width, c.NumAttentionHeads, varianceScale));
        _act = Activations.Get(c.HiddenAct);
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor gate = _act(_y.Forward(x, pass)), u = batch.ZeroPadding(_x.Forward(x, pass));
        u = batch.Recur(_layer, "conv", (span, past) => u.Slice(0, span.QueryStart, span.QueryLength).CausalConvolution(_conv.Weight, _conv.Bias?.Value, past));
        return pass.Visit(this, _out.Forward(_recurrence.Forward(u, batch, pass) * gate, pass));
    }
}

/// <summary>x + recurrence or attention(norm(x)), then x + mlp(norm(x)).</summary>
public sealed class RecurrentGemmaBlock : Block
{
    private readonly GriffinRecurrence? _recurrence;
    private readonly GroupedQueryAttention? _attention;
    private readonly GatedMlp _mlp;
    private readonly RmsNorm _temporalNorm, _channelNorm;

    internal RecurrentGemmaBlock(DecoderConfig c, int layer, RotaryEmbedding rotary, bool isAttention, int width, int kernel, double varianceScale)
    {
        _temporalNorm = Add("temporal_pre_norm", new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1));
        _attention = isAttention ? Add("temporal_block", new GroupedQueryAttention(c, layer, rotary, outBias: true) { Window = c.SlidingWindow }) : null;
        _recurrence = isAttention ? null : Add("temporal_block", new GriffinRecurrence(c, layer, width, kernel, varianceScale));
        _channelNorm = Add("channel_pre_norm", new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1));
        _mlp = Add("mlp_block", new GatedMlp(c.HiddenSize, c.IntermediateSize / 2, c.HiddenAct, bias: true, c.InitializerRange));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor h = _temporalNorm.Forward(x, pass);
        x += _attention is not null ? _attention.Forward(h, batch, pass) : _recurrence!.Forward(h, batch, pass);
        return x + _mlp.Forward(_channelNorm.Forward(x, pass), pass);
    }
}

/// <summary>RecurrentGemma with its language-model head: <c>RecurrentGemmaForCausalLM</c>.</summary>
public sealed class RecurrentGemma : StackedLanguageModel
{
    private static readonly DecoderConfig Defaults = new()
    {
        VocabSize = 256000, HiddenSize = 2560, IntermediateSize = 7680, NumHiddenLayers = 26, NumAttentionHeads = 10, MaxPositionEmbeddings = 8192, HiddenAct = "gelu_pytorch_tanh", TieWordEmbeddings = true, PadTokenId = 0,
        SlidingWindow = 2048, PartialRotaryFactor = 0.5,
    };

    private readonly double _softCap;

    /// <summary>A model without weights; initialise or load it.</summary>
    public RecurrentGemma(ConfigReader config) : this(config, DecoderConfig.Read(config, Defaults, new DecoderKeys(Act: "hidden_activation")))
    {
    }

    private RecurrentGemma(ConfigReader config, DecoderConfig c) : base(config, c, Stack(config, c)) => _softCap = Gemma2.CapOf(config, "logits_soft_cap", 30);

    /// <inheritdoc/>
    protected override bool HasPlainHead => _softCap == 0;

    /// <inheritdoc/>
    public override int MaxPositions => int.MaxValue;

    /// <inheritdoc/>
    public override Tensor Logits(Tensor hidden, ForwardPass pass)
    {
        Tensor logits = base.Logits(hidden, pass);
        return _softCap == 0 ? logits : logits.Softcap(_softCap);
    }

    private static DecoderStack Stack(ConfigReader config, DecoderConfig c)
    {
        c = c with { SlidingWindow = config.GetInt("attention_window_size", 2048, min: 1) };
        string[] types = config.Has("block_types") ? config.GetStrings("block_types") : ["recurrent", "recurrent", "attention"];
        if (types.Length == 0 || types.FirstOrDefault(t => t is not ("recurrent" or "attention")) is not null)
        {
            throw new CheckpointException(config.Source, $"\"block_types\" is [{string.Join(", ", types)}]; expected recurrent and attention");
        }
        int width = config.GetInt("lru_width", c.HiddenSize, min: 1, max: 1 << 20), kernel = config.GetInt("conv1d_width", 4, min: 1, max: 1 << 10);
        ConfigChecks.Divides(config, "lru_width", width, "num_attention_heads", c.NumAttentionHeads);
        double variance = config.GetDouble("w_init_variance_scale", 0.01, min: 0);
        var rotary = new RotaryEmbedding(c.Rope, c.RotaryDim);
        return new DecoderStack(c, i => new RecurrentGemmaBlock(c, i, rotary, types[i % types.Length] == "attention", width, kernel, variance), new RmsNorm(c.HiddenSize, c.NormEps, weightOffset: 1), new StackNames(Norm: "final_norm"), null, rotary)
        {
            EmbeddingScale = (double)BFloat16Of(Math.Sqrt(c.HiddenSize)), // which the reference keeps in bfloat16
        };
    }

    private static float BFloat16Of(double value) => Tensor.From((float)value).To(DType.BFloat16).To(DType.Float32).ToArray<float>()[0];
}
