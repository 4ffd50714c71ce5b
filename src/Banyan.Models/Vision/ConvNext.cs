using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// ConvNeXt (Liu et al. 2022, arXiv:2201.03545): a convolutional network in the manner of a transformer: patches, one convolution of each channel by itself, then an MLP over the channels.
// B pictures, C channels, h x w places.

/// <summary>Configuration of <see cref="ConvNext"/>, by the keys of <c>config.json</c>.</summary>
public sealed record ConvNextConfig
{
    /// <summary>Channels of a picture. Default: 3.</summary>
    public int NumChannels { get; init; } = 3;

    /// <summary>Side of a patch. Default: 4.</summary>
    public int PatchSize { get; init; } = 4;

    /// <summary>Channels of each stage. Default: 96, 192, 384, 768.</summary>
    public IReadOnlyList<int> HiddenSizes { get; init; } = [96, 192, 384, 768];

    /// <summary>Layers of each stage. Default: 3, 3, 9, 3.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [3, 3, 9, 3];

    /// <summary>Activation. Default: gelu.</summary>
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>Added to the variance in the last norm; the others add 1e-6. Default: 1e-12.</summary>
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>What the scale of each channel begins with; 0: there is none. Default: 1e-6.</summary>
    public double LayerScaleInitValue { get; init; } = 1e-6;

    /// <summary>Standard deviation of new weights. Default: 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Reads <c>config.json</c>.</summary>
    public static ConvNextConfig Read(ConfigReader c)
    {
        int[] sizes = ConfigChecks.Sizes(c, "hidden_sizes", [96, 192, 384, 768]), depths = ConfigChecks.Sizes(c, "depths", [3, 3, 9, 3]);
        if (sizes.Length != depths.Length)
        {
            throw new CheckpointException(c.Source, $"\"hidden_sizes\" has {sizes.Length} values and \"depths\" {depths.Length}; expected as many");
        }
        return new ConvNextConfig
        {
            NumChannels = c.GetInt("num_channels", 3, min: 1, max: 1 << 16),
            PatchSize = c.GetInt("patch_size", 4, min: 1, max: 1 << 12),
            HiddenSizes = sizes,
            Depths = depths,
            HiddenAct = c.GetChoice("hidden_act", Activations.Names, "gelu"),
            LayerNormEps = c.GetDouble("layer_norm_eps", 1e-12, min: 0),
            LayerScaleInitValue = c.GetDouble("layer_scale_init_value", 1e-6, min: 0),
            InitializerRange = c.GetDouble("initializer_range", 0.02, min: 0),
        };
    }
}

/// <summary>A norm over the channels of (B, C, h, w).</summary>
public sealed class ChannelNorm : Module
{
    private readonly LayerNorm _norm;

    internal ChannelNorm(int channels) => _norm = Add("", new LayerNorm(channels, 1e-6));

    internal Tensor Forward(Tensor x, ForwardPass pass) => _norm.Forward(x.Permute(0, 2, 3, 1), pass).Permute(0, 3, 1, 2);
}

/// <summary>x + scale * mlp(norm(convolution(x))): the convolution mixes places, the MLP channels.</summary>
public sealed class ConvNextLayer : Module
{
    private readonly Conv _mix;
    private readonly LayerNorm _norm;
    private readonly Linear _up, _down;
    private readonly Parameter? _scale;
    private readonly Func<Tensor, Tensor> _act;

    internal ConvNextLayer(ConvNextConfig c, int channels)
    {
        Initializer init = Initializer.Normal(c.InitializerRange);
        _mix = Add("dwconv", new Conv(channels, channels, [7, 7], new ConvOptions { Padding = [3, 3], Groups = channels }));
        _norm = Add("layernorm", new LayerNorm(channels, 1e-6));
        _up = Add("pwconv1", new Linear(channels, 4 * channels, initializer: init));
        _down = Add("pwconv2", new Linear(4 * channels, channels, initializer: init));
        _scale = c.LayerScaleInitValue > 0 ? Add("layer_scale_parameter", [channels], Initializer.Constant(c.LayerScaleInitValue)) : null;
        _act = Activations.Get(c.HiddenAct);
    }

    internal Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor h = _norm.Forward(_mix.Forward(x, pass).Permute(0, 2, 3, 1), pass);
        h = _down.Forward(_act(_up.Forward(h, pass)), pass);
        h = _scale is null ? h : h * pass.Scope.Use(_scale);
        return pass.Visit(this, x + h.Permute(0, 3, 1, 2));
    }
}

/// <summary>Layers at one resolution; all but the first stage halve it.</summary>
public sealed class ConvNextStage : Module
{
    private readonly ChannelNorm? _norm;
    private readonly Conv? _halve;
    private readonly ConvNextLayer[] _layers;

    internal ConvNextStage(ConvNextConfig c, int index)
    {
        int channels = c.HiddenSizes[index];
        if (index > 0)
        {
            _norm = Add("downsampling_layer.0", new ChannelNorm(c.HiddenSizes[index - 1]));
            _halve = Add("downsampling_layer.1", new Conv(c.HiddenSizes[index - 1], channels, [2, 2], new ConvOptions { Stride = [2, 2] }));
        }
        _layers = [.. Enumerable.Range(0, c.Depths[index]).Select(i => Add($"layers.{i}", new ConvNextLayer(c, channels)))];
    }

    internal Tensor Forward(Tensor x, ForwardPass pass)
    {
        x = _halve is null ? x : _halve.Forward(_norm!.Forward(x, pass), pass);
        return pass.Visit(this, _layers.Aggregate(x, (h, layer) => layer.Forward(h, pass)));
    }
}

/// <summary>ConvNeXt with a head for classes: <c>ConvNextForImageClassification</c>.</summary>
public sealed class ConvNext : Model
{
    private const string Base = "convnext.";

    private readonly Conv _patches;
    private readonly ChannelNorm _patchNorm;
    private readonly ConvNextStage[] _stages;
    private readonly LayerNorm _norm;
    private readonly Linear _classifier;
    private readonly LabelConfig _labels;

    /// <summary>A model without weights; initialise or load it.</summary>
    public ConvNext(ConfigReader config) : base(config)
    {
        ConvNextConfig c = Config = ConvNextConfig.Read(config);
        _labels = LabelConfig.Read(config);
        _patches = Add(Base + "embeddings.patch_embeddings", new Conv(c.NumChannels, c.HiddenSizes[0], [c.PatchSize, c.PatchSize], new ConvOptions { Stride = [c.PatchSize, c.PatchSize] }));
        _patchNorm = Add(Base + "embeddings.layernorm", new ChannelNorm(c.HiddenSizes[0]));
        _stages = [.. Enumerable.Range(0, c.Depths.Count).Select(i => Add($"{Base}encoder.stages.{i}", new ConvNextStage(c, i)))];
        _norm = Add(Base + "layernorm", new LayerNorm(c.HiddenSizes[^1], c.LayerNormEps));
        _classifier = Add("classifier", new Linear(c.HiddenSizes[^1], _labels.Count, initializer: Initializer.Normal(c.InitializerRange)));
    }

    /// <summary>What it was built from.</summary>
    public ConvNextConfig Config { get; }

    /// <inheritdoc/>
    public override string BasePrefix => Base;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Encoder(Base + "embedded", Base + "encoder.stages", Config.Depths.Count);

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor pixels = pass.Scope.Use(inputs.Require("pixel_values"));
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor x = _patchNorm.Forward(_patches.Forward(pixels, pass), pass);
        x = pass.Tap is null ? x : pass.Tap.Visit(Base + "embedded", x);
        x = _stages.Aggregate(x, (h, stage) => stage.Forward(h, pass));
        Tensor logits = _classifier.Forward(_norm.Forward(x.Mean([-2, -1]), pass), pass);
        return new ModelOutputs().With("loss", labels is null ? null : _labels.Loss(logits, labels, pass.Scope)).With("logits", logits);
    }
}
