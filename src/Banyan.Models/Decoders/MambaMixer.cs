using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>Configuration of <see cref="Mamba"/>, by the keys of <c>config.json</c>.</summary>
public sealed record MambaConfig
{
    /// <summary>Number of token ids. Default: 50280.</summary>
    public int VocabSize { get; init; } = 50280;

    /// <summary>C. Default: 768.</summary>
    public int HiddenSize { get; init; } = 768;

    /// <summary>I. Default: 2 C.</summary>
    public int IntermediateSize { get; init; } = 1536;

    /// <summary>N. Default: 16.</summary>
    public int StateSize { get; init; } = 16;

    /// <summary>R. Default: C / 16, rounded up.</summary>
    public int TimeStepRank { get; init; } = 48;

    /// <summary>Number of layers. Default: 32.</summary>
    public int NumHiddenLayers { get; init; } = 32;

    /// <summary>Length of the convolution's filter. Default: 4.</summary>
    public int ConvKernel { get; init; } = 4;

    /// <summary>Activation behind the convolution and of the gate. Default: silu.</summary>
    public string HiddenAct { get; init; } = "silu";

    /// <summary>Added to the mean square in norms. Default: 1e-5.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-5;

    /// <summary>Biases of the two projections. Default: none.</summary>
    public bool UseBias { get; init; }

    /// <summary>Bias of the convolution. Default: true.</summary>
    public bool UseConvBias { get; init; } = true;

    /// <summary>Whether the head is the embedding. Default: true.</summary>
    public bool TieWordEmbeddings { get; init; } = true;

    /// <summary>Standard deviation of new weights. Default: 0.1.</summary>
    public double InitializerRange { get; init; } = 0.1;

    /// <summary>The smallest step of a new model. Default: 0.001.</summary>
    public double TimeStepMin { get; init; } = 0.001;

    /// <summary>The largest step of a new model. Default: 0.1.</summary>
    public double TimeStepMax { get; init; } = 0.1;

    /// <summary>Reads <c>config.json</c>.</summary>
    public static MambaConfig Read(ConfigReader c)
    {
        int width = c.GetInt("hidden_size", 768, min: 1, max: 1 << 20), inner = c.GetInt("expand", 2, min: 1, max: 64) * width;
        int rank = Rank(c, "time_step_rank", width);
        return new MambaConfig
        {
            VocabSize = c.GetInt("vocab_size", 50280, min: 1, max: 1 << 26),
            HiddenSize = width,
            IntermediateSize = c.GetInt("intermediate_size", inner, min: 1, max: 1 << 24),
            StateSize = c.GetInt("state_size", 16, min: 1, max: 1 << 16),
            TimeStepRank = rank,
            NumHiddenLayers = c.GetInt("num_hidden_layers", 32, min: 0, max: 4096),
            ConvKernel = c.GetInt("conv_kernel", 4, min: 1, max: 1 << 10),
            HiddenAct = c.GetChoice("hidden_act", Activations.Names, "silu"),
            LayerNormEpsilon = c.GetDouble("layer_norm_epsilon", 1e-5, min: 0),
            UseBias = c.GetBool("use_bias", false),
            UseConvBias = c.GetBool("use_conv_bias", true),
            TieWordEmbeddings = c.GetBool("tie_word_embeddings", true),
            InitializerRange = c.GetDouble("initializer_range", 0.1, min: 0),
            TimeStepMin = c.GetDouble("time_step_min", 0.001, min: 1e-12),
            TimeStepMax = c.GetDouble("time_step_max", 0.1, min: 1e-12),
        };
    }

    /// <summary>The rank of the steps: a number, or a sixteenth of C where it is "auto" or not there.</summary>
    internal static int Rank(ConfigReader c, string key, int width) => c.Has(key) && !IsAuto(c, key) ? c.GetInt(key, min: 1, max: width) : (width + 15) / 16;

    internal static bool IsAuto(ConfigReader c, string key)
    {
        try
        {
            return c.GetString(key) == "auto";
        }
        catch (CheckpointException)
        {
            return false;
        }
    }
}

/// <summary>Convolution, selective scan and gate.</summary>
public sealed class MambaMixer : Module
{
    private readonly MambaConfig _c;
    private readonly int _layer;
    private readonly Linear _in, _parameters, _step, _out;
    private readonly Conv _conv;
    private readonly Parameter _logA, _d;
    private readonly Func<Tensor, Tensor> _act;
    private readonly RmsNorm? _stepNorm, _bNorm, _cNorm;

    internal MambaMixer(MambaConfig c, int layer, double? normEps = null)
    {
        (_c, _layer) = (c, layer);
        Initializer init = Initializer.Normal(c.InitializerRange);
        _logA = Add("A_log", [c.IntermediateSize, c.StateSize], Initializer.Of((_, state) => Math.Log(state + 1)));
        _d = Add("D", [c.IntermediateSize], Initializer.Ones);
        _conv = Add("conv1d", new Conv(c.IntermediateSize, c.IntermediateSize, [c.ConvKernel], new ConvOptions { Groups = c.IntermediateSize, Bias = c.UseConvBias }));
        _in = Add("in_proj", new Linear(c.HiddenSize, 2 * c.IntermediateSize, c.UseBias, initializer: init));
        _parameters = Add("x_proj", new Linear(c.IntermediateSize, c.TimeStepRank + 2 * c.StateSize, bias: false, initializer: init));
        _step = Add("dt_proj", new Linear(c.TimeStepRank, c.IntermediateSize, biasInitializer: Initializer.Of((i, _) => StepBias(i))));
        _out = Add("out_proj", new Linear(c.IntermediateSize, c.HiddenSize, c.UseBias, initializer: init));
        _act = Activations.Get(c.HiddenAct);
        RmsNorm? Norm(string name, int width) => normEps is { } eps ? Add(name, new RmsNorm(width, eps)) : null;
        (_stepNorm, _bNorm, _cNorm) = (Norm("dt_layernorm", c.TimeStepRank), Norm("b_layernorm", c.StateSize), Norm("c_layernorm", c.StateSize));
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor projected = _in.Forward(x, pass);                                                                      // (T, 2 I)
        Tensor u = batch.ZeroPadding(projected.Slice(1, 0, _c.IntermediateSize)), gate = projected.Slice(1, _c.IntermediateSize, _c.IntermediateSize);
        u = batch.Recur(_layer, "conv", (span, past) => u.Slice(0, span.QueryStart, span.QueryLength).CausalConvolution(_conv.Weight, _conv.Bias?.Value, past));
        u = batch.ZeroPadding(_act(u));
        Tensor[] p = _parameters.Forward(u, pass).Split([_c.TimeStepRank, _c.StateSize, _c.StateSize], 1);            // step, B, C
        p = _stepNorm is null ? p : [_stepNorm.Forward(p[0], pass), _bNorm!.Forward(p[1], pass), _cNorm!.Forward(p[2], pass)];
        Tensor step = _step.Forward(p[0], pass).Softplus(), a = -pass.Scope.Use(_logA).Exp();
        Tensor y = batch.Recur(_layer, "scan", (span, state) =>
        {
            Tensor Own(Tensor t) => t.Slice(0, span.QueryStart, span.QueryLength);
            return Own(u).SelectiveScan(Own(step), a, Own(p[1]), Own(p[2]), _d, state);
        });
        return pass.Visit(this, _out.Forward(y * _act(gate), pass));
    }

    // New steps spread over [min, max] by powers; the bias is what softplus turns into them.
    private double StepBias(long channel)
    {
        double share = _c.IntermediateSize > 1 ? channel / (_c.IntermediateSize - 1.0) : 0;
        return Math.Log(Math.Exp(_c.TimeStepMin * Math.Pow(_c.TimeStepMax / _c.TimeStepMin, share)) - 1);
    }
}
