using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// PatchTST (Nie et al. 2023, arXiv:2211.14730): "a time series is worth 64 words". Each channel of a series is cut into patches, which are the tokens of an encoder; channels share the weights
// and do not see each other. B series of T steps and K channels, N patches, C width.

/// <summary>Configuration of <see cref="PatchTst"/>, by the keys of <c>config.json</c>.</summary>
public sealed record PatchTstConfig
{
    /// <summary>Channels. Default: 1.</summary>
    public int NumInputChannels { get; init; } = 1;

    /// <summary>Steps that are seen. Default: 32.</summary>
    public int ContextLength { get; init; } = 32;

    /// <summary>Steps of a patch. Default: 1.</summary>
    public int PatchLength { get; init; } = 1;

    /// <summary>Steps from one patch to the next. Default: 1.</summary>
    public int PatchStride { get; init; } = 1;

    /// <summary>Steps that are predicted. Default: 24.</summary>
    public int PredictionLength { get; init; } = 24;

    /// <summary>True: norms over the batch; false: over the width. Default: true.</summary>
    public bool BatchNorms { get; init; } = true;

    /// <summary>Whether norms stand before attention and MLP. Default: true.</summary>
    public bool PreNorm { get; init; } = true;

    /// <summary>Whether series are brought to mean 0 and deviation 1 first, and predictions back. Default: true.</summary>
    public bool Scales { get; init; } = true;

    /// <summary>How patches become one vector: mean, max or, null, side by side. Default: mean.</summary>
    public string? PoolingType { get; init; } = "mean";

    /// <summary>Whether places are learned instead of sines. Default: false.</summary>
    public bool LearnedPositions { get; init; }

    /// <summary>Whether the MLP's layers have biases. Default: true.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>Dropout of patches, of what is added, within MLPs, before the head. Default: 0, in training only.</summary>
    public (double Positions, double Path, double Inner, double Head) Dropouts { get; init; }

    /// <summary>Widths, heads, layers of the encoder.</summary>
    public required EncoderConfig Encoder { get; init; }

    /// <summary>How many patches a series has.</summary>
    public int NumPatches => (Math.Max(ContextLength, PatchLength) - PatchLength) / PatchStride + 1;

    /// <summary>Reads <c>config.json</c>.</summary>
    public static PatchTstConfig Read(ConfigReader c)
    {
        ConfigChecks.Only(c, "channel_attention", false, "channels do not see each other here");
        ConfigChecks.Only(c, "use_cls_token", false, "a token for the whole is not supported");
        ConfigChecks.Only(c, "do_mask_input", false, "masks belong to pretraining");
        ConfigChecks.Only(c, "share_embedding", true, "channels share their weights");
        ConfigChecks.Only(c, "share_projection", true, "channels share their weights");
        c.GetChoice("loss", ["mse"], "mse");
        if (c.Has("output_range"))
        {
            throw new CheckpointException(c.Source, "\"output_range\" is set; expected null: predictions have no bounds here");
        }
        int width = c.GetInt("d_model", 128, min: 1, max: 1 << 16), heads = c.GetInt("num_attention_heads", 4, min: 1, max: width);
        ConfigChecks.Divides(c, "d_model", width, "num_attention_heads", heads);
        double Drop(string key) => c.GetDouble(key, 0, min: 0, max: 0.999);
        return new PatchTstConfig
        {
            NumInputChannels = c.GetInt("num_input_channels", 1, min: 1, max: 1 << 20),
            ContextLength = c.GetInt("context_length", 32, min: 1, max: 1 << 24),
            PatchLength = c.GetInt("patch_length", 1, min: 1, max: 1 << 20),
            PatchStride = c.GetInt("patch_stride", 1, min: 1, max: 1 << 20),
            PredictionLength = c.GetInt("prediction_length", 24, min: 1, max: 1 << 20),
            BatchNorms = c.GetChoice("norm_type", ["batchnorm", "layernorm"], "batchnorm") == "batchnorm",
            PreNorm = c.GetBool("pre_norm", true),
            Scales = c.GetChoice("scaling", ["std"], "std") == "std",
            PoolingType = c.Has("pooling_type") ? c.GetChoice("pooling_type", ["mean", "max"], "mean") : c.Keys.Contains("pooling_type") ? null : "mean",
            LearnedPositions = c.GetChoice("positional_encoding_type", ["sincos", "random"], "sincos") == "random",
            Bias = c.GetBool("bias", true),
            Dropouts = (Drop("positional_dropout"), Drop("path_dropout"), Drop("ff_dropout"), Drop("head_dropout")),
            Encoder = new EncoderConfig
            {
                HiddenSize = width, NumAttentionHeads = heads, NumHiddenLayers = c.GetInt("num_hidden_layers", 3, min: 0, max: 4096), IntermediateSize = c.GetInt("ffn_dim", 512, min: 1, max: 1 << 20),
                HiddenAct = c.GetChoice("activation_function", Activations.Names, "gelu"), LayerNormEps = c.GetDouble("norm_eps", 1e-5, min: 0), AttentionProbsDropoutProb = Drop("attention_dropout"),
                InitializerRange = c.GetDouble("init_std", 0.02, min: 0),
            },
        };
    }
}

/// <summary>A norm over the batch (of each element of the width) or over the width.</summary>
public sealed class SeriesNorm : Module
{
    private readonly BatchNorm? _batch;
    private readonly LayerNorm? _layer;

    internal SeriesNorm(PatchTstConfig c)
    {
        _batch = c.BatchNorms ? Add("batchnorm", new BatchNorm(c.Encoder.HiddenSize, c.Encoder.LayerNormEps)) : null;
        _layer = c.BatchNorms ? null : Add("", new LayerNorm(c.Encoder.HiddenSize, c.Encoder.LayerNormEps));
    }

    internal Tensor Forward(Tensor x, ForwardPass pass) => _batch is not null ? _batch.Forward(x, pass) : _layer!.Forward(x, pass);   // (tokens, C)
}

/// <summary>Attention among the patches of one channel, then an MLP.</summary>
public sealed class PatchTstLayer : Block
{
    private readonly bool _before;
    private readonly EncoderAttention _attention;
    private readonly Linear _out, _up, _down;
    private readonly SeriesNorm _norm1, _norm2;
    private readonly Dropout _drop1, _drop2, _innerDrop;
    private readonly Func<Tensor, Tensor> _act;

    internal PatchTstLayer(PatchTstConfig c, int layer)
    {
        EncoderConfig e = c.Encoder;
        Initializer init = Initializer.Normal(e.InitializerRange);
        _before = c.PreNorm;
        _attention = Add("self_attn", new EncoderAttention(e, layer, "q_proj", "k_proj", "v_proj", c.Bias));
        _out = Add("self_attn.out_proj", new Linear(e.HiddenSize, e.HiddenSize, c.Bias, initializer: init));
        _norm1 = Add("norm_sublayer1", new SeriesNorm(c));
        _up = Add("ff.0", new Linear(e.HiddenSize, e.IntermediateSize, c.Bias, initializer: init));
        _down = Add("ff.3", new Linear(e.IntermediateSize, e.HiddenSize, c.Bias, initializer: init));
        _norm2 = Add("norm_sublayer3", new SeriesNorm(c));
        (_drop1, _drop2, _innerDrop) = (Add("dropout_path1", new Dropout(c.Dropouts.Path)), Add("dropout_path3", new Dropout(c.Dropouts.Path)), Add("ff.2", new Dropout(c.Dropouts.Inner)));
        _act = Activations.Get(e.HiddenAct);
    }

    /// <inheritdoc/>
    protected override Tensor Forward(Tensor x, TokenBatch batch, ForwardPass pass)
    {
        Tensor Attend(Tensor h) => _drop1.Forward(_out.Forward(_attention.Forward(h, batch, pass), pass), pass);
        Tensor Mlp(Tensor h) => _drop2.Forward(_down.Forward(_innerDrop.Forward(_act(_up.Forward(h, pass)), pass), pass), pass);
        if (_before)
        {
            x += Attend(_norm1.Forward(x, pass));
            return x + Mlp(_norm2.Forward(x, pass));
        }
        x = _norm1.Forward(x + Attend(x), pass);
        return _norm2.Forward(x + Mlp(x), pass);
    }
}

/// <summary>PatchTST that predicts the steps to come: <c>PatchTSTForPrediction</c>.</summary>
public sealed class PatchTst : Model
{
    private const double MinimumScale = 1e-5;

    private readonly Linear _embed, _project;
    private readonly Parameter _positions;
    private readonly PatchTstLayer[] _layers;
    private readonly Dropout _drop, _headDrop;

    /// <summary>A model without weights; initialise or load it.</summary>
    public PatchTst(ConfigReader config) : base(config)
    {
        PatchTstConfig c = Config = PatchTstConfig.Read(config);
        Initializer init = Initializer.Normal(c.Encoder.InitializerRange);
        _embed = Add("model.encoder.embedder.input_embedding", new Linear(c.PatchLength, c.Encoder.HiddenSize, initializer: init));
        const string Positions = "model.encoder.positional_encoder.position_enc";
        Shape places = [c.NumPatches, c.Encoder.HiddenSize];
        _positions = c.LearnedPositions ? Add(Positions, places, init) : AddBuffer(Positions, places, Initializer.Of(Sines(c.NumPatches, c.Encoder.HiddenSize)));
        _drop = Add("model.encoder.positional_encoder.positional_dropout", new Dropout(c.Dropouts.Positions));
        _layers = [.. Enumerable.Range(0, c.Encoder.NumHiddenLayers).Select(i => Add($"model.encoder.layers.{i}", new PatchTstLayer(c, i)))];
        _headDrop = Add("head.dropout", new Dropout(c.Dropouts.Head));
        _project = Add("head.projection", new Linear(c.PoolingType is null ? c.NumPatches * c.Encoder.HiddenSize : c.Encoder.HiddenSize, c.PredictionLength, initializer: init));
    }

    /// <summary>What it was built from.</summary>
    public PatchTstConfig Config { get; }

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Encoder("model.encoder.positional_encoder.positional_dropout", "model.encoder.layers", Config.Encoder.NumHiddenLayers);

    /// <summary><c>past_values</c> (B, T, K) and perhaps <c>future_values</c> (B, prediction, K) to predictions (B, prediction, K).</summary>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor past = pass.Scope.Use(inputs.Require("past_values"));
        Tensor? future = inputs.Find("future_values");
        inputs.CheckAllRead();
        PatchTstConfig c = Config;
        if (past.Rank != 3 || past.Shape[1] != c.ContextLength || past.Shape[2] != c.NumInputChannels)
        {
            throw new ArgumentException($"past_values must be (batch, {c.ContextLength}, {c.NumInputChannels}), given {past.Shape}");
        }
        long series = past.Shape[0], rows = series * c.NumInputChannels;
        Tensor mean = past.Mean(1, keepDim: true), scale = ((past - mean).Square().Mean(1, keepDim: true) + MinimumScale).Sqrt();
        Tensor x = ((past - mean) / scale).Transpose(1, 2).Reshape(rows, c.ContextLength);
        long start = c.ContextLength - (c.PatchLength + (long)c.PatchStride * (c.NumPatches - 1));   // the last patch ends with the series
        x = Tensor.Stack([.. Enumerable.Range(0, c.NumPatches).Select(i => x.Slice(1, start + (long)i * c.PatchStride, c.PatchLength))], 1);
        x = _drop.Forward(_embed.Forward(x, pass) + pass.Scope.Use(_positions), pass).Reshape(rows * c.NumPatches, -1);
        TokenBatch batch = Patches.Batch(rows, c.NumPatches, pass.Scope);
        x = _layers.Aggregate(x, (h, layer) => layer.Run(h, batch, pass)).Reshape(rows, c.NumPatches, -1);
        x = c.PoolingType switch { "mean" => x.Mean(1), "max" => x.AMax([1]), _ => x.Flatten(1) };
        Tensor predicted = _project.Forward(_headDrop.Forward(x, pass), pass).Reshape(series, c.NumInputChannels, c.PredictionLength).Transpose(1, 2) * scale + mean;
        return new ModelOutputs().With("loss", future is null ? null : Loss.Mse(predicted, pass.Scope.Use(future))).With("prediction_outputs", predicted).With("loc", mean).With("scale", scale);
    }

    // Sines and cosines by turns, brought to mean 0 and a tenth of the deviation 1, as the reference makes them.
    private static Func<long, long, double> Sines(int count, int width)
    {
        var values = new double[count * width];
        for (int p = 0; p < count; p++)
        {
            for (int i = 0; i < width; i++)
            {
                double angle = p * Math.Exp(-(i - i % 2) * Math.Log(10000) / width);
                values[p * width + i] = i % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle);
            }
        }
        double mean = values.Average(), deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / Math.Max(1, values.Length - 1));
        return (row, column) => (values[row * width + column] - mean) / (10 * deviation);
    }
}
