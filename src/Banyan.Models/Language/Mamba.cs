using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// Mamba (Gu and Dao 2023, arXiv:2312.00752): no attention; each layer is a short causal convolution and a selective state space, in which what
// is kept and forgotten depends on the input. A token costs the same at any length: the cache holds two states of fixed size per layer.
// T tokens of the batch, C hidden size, I inner width, N state size, R rank of the step sizes.

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
        int rank = c.Has("time_step_rank") && !IsAuto(c) ? c.GetInt("time_step_rank", min: 1, max: width) : (width + 15) / 16;
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

    private static bool IsAuto(ConfigReader c)
    {
        try
        {
            return c.GetString("time_step_rank") == "auto";
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

    internal MambaMixer(MambaConfig c, int layer)
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
    }

    internal Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor projected = _in.Forward(x, pass);                                                                      // (T, 2 I)
        Tensor u = batch.ZeroPadding(projected.Slice(1, 0, _c.IntermediateSize)), gate = projected.Slice(1, _c.IntermediateSize, _c.IntermediateSize);
        u = batch.Recur(_layer, "conv", (span, past) => u.Slice(0, span.QueryStart, span.QueryLength).CausalConvolution(_conv.Weight, _conv.Bias?.Value, past));
        u = batch.ZeroPadding(_act(u));
        Tensor[] p = _parameters.Forward(u, pass).Split([_c.TimeStepRank, _c.StateSize, _c.StateSize], 1);            // step, B, C
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

/// <summary>x + mixer(norm(x)).</summary>
public sealed class MambaBlock : Block
{
    private readonly RmsNorm _norm;
    private readonly MambaMixer _mixer;

    internal MambaBlock(MambaConfig c, int layer)
    {
        _norm = Add("norm", new RmsNorm(c.HiddenSize, c.LayerNormEpsilon));
        _mixer = Add("mixer", new MambaMixer(c, layer));
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass) => x + _mixer.Forward(_norm.Forward(x, pass), batch, pass);
}

/// <summary>The stack below the head: <c>backbone</c> in checkpoints.</summary>
public sealed class MambaModel : Module
{
    private readonly Embedding _embed;
    private readonly MambaBlock[] _layers;
    private readonly RmsNorm _norm;

    internal MambaModel(MambaConfig c)
    {
        _embed = Add("embeddings", new Embedding(c.VocabSize, c.HiddenSize, Initializer.Normal(c.InitializerRange)));
        _layers = [.. Enumerable.Range(0, c.NumHiddenLayers).Select(i => Add($"layers.{i}", new MambaBlock(c, i)))];
        _norm = Add("norm_f", new RmsNorm(c.HiddenSize, c.LayerNormEpsilon));
    }

    internal Parameter EmbeddingWeight => _embed.Weight;

    internal Tensor Forward(TokenBatch batch, ForwardPass pass)
    {
        Tensor x = _embed.Forward(batch.Ids, pass);   // (T, C)
        foreach (MambaBlock layer in _layers)
        {
            x = layer.Run(x, batch, pass);
        }
        batch.AdvanceCaches();
        return _norm.Forward(x, pass);
    }
}

/// <summary>Mamba with its language-model head: <c>MambaForCausalLM</c>.</summary>
public sealed class Mamba : CausalLanguageModel
{
    private readonly MambaModel _model;
    private readonly Parameter _head;

    /// <summary>A model without weights; initialise or load it.</summary>
    public Mamba(ConfigReader config) : base(config)
    {
        Config = MambaConfig.Read(config);
        _model = Add("backbone", new MambaModel(Config));
        _head = Config.TieWordEmbeddings ? _model.EmbeddingWeight
            : Add("lm_head", new Linear(Config.HiddenSize, Config.VocabSize, bias: false, initializer: Initializer.Normal(Config.InitializerRange))).Weight;
    }

    /// <summary>What it was built from.</summary>
    public MambaConfig Config { get; }

    /// <inheritdoc/>
    public override int VocabularySize => Config.VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => int.MaxValue;

    /// <inheritdoc/>
    public override Parameter HeadWeight => _head;

    /// <inheritdoc/>
    public override string BasePrefix => "backbone.";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates =>   // no embedding: the reference lists what each layer gives, then the norm
        Enumerable.Range(0, Config.NumHiddenLayers + 1).Select(i => ($"hidden.{i}", i == Config.NumHiddenLayers ? "backbone.norm_f" : $"backbone.layers.{i}"));

    /// <inheritdoc/>
    public override bool IsRedundant(string checkpointName) => Config.TieWordEmbeddings && checkpointName == "lm_head.weight";

    /// <inheritdoc/>
    public override Tensor Hidden(TokenBatch batch, ForwardPass pass) => _model.Forward(batch, pass);
}
