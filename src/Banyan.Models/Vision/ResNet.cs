using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// ResNet (He et al. 2016, arXiv:1512.03385): convolutions with batch norms whose result is added to what went in. Version 1.5: the stride of a
// bottleneck lies in its 3 x 3 convolution. B images, K channels, h x w pixels.

/// <summary>Configuration of <see cref="ResNet"/>, by the keys of <c>config.json</c>.</summary>
public sealed record ResNetConfig
{
    /// <summary>Channels of the image. Default: 3.</summary>
    public int NumChannels { get; init; } = 3;

    /// <summary>Channels behind the first convolution. Default: 64.</summary>
    public int EmbeddingSize { get; init; } = 64;

    /// <summary>Channels of each stage. Default: 256, 512, 1024, 2048.</summary>
    public IReadOnlyList<int> HiddenSizes { get; init; } = [256, 512, 1024, 2048];

    /// <summary>Layers of each stage. Default: 3, 4, 6, 3.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [3, 4, 6, 3];

    /// <summary>True: 1 x 1, 3 x 3, 1 x 1 with a quarter of the channels between; false: two 3 x 3. Default: true.</summary>
    public bool Bottleneck { get; init; } = true;

    /// <summary>Activation. Default: relu.</summary>
    public string HiddenAct { get; init; } = "relu";

    /// <summary>Whether the first stage halves the image too. Default: false.</summary>
    public bool DownsampleInFirstStage { get; init; }

    /// <summary>Whether the stride lies in a bottleneck's first convolution. Default: false.</summary>
    public bool DownsampleInBottleneck { get; init; }

    /// <summary>Whether it is a backbone whose norms never change. Default: false.</summary>
    public bool IsFrozen { get; init; }

    /// <summary>Reads <c>config.json</c>.</summary>
    public static ResNetConfig Read(ConfigReader c)
    {
        int[] sizes = ConfigChecks.Sizes(c, "hidden_sizes", [256, 512, 1024, 2048]), depths = ConfigChecks.Sizes(c, "depths", [3, 4, 6, 3]);
        if (sizes.Length != depths.Length)
        {
            throw new CheckpointException(c.Source, $"\"hidden_sizes\" has {sizes.Length} values and \"depths\" {depths.Length}; expected as many");
        }
        return new ResNetConfig
        {
            NumChannels = c.GetInt("num_channels", 3, min: 1, max: 1 << 16),
            EmbeddingSize = c.GetInt("embedding_size", 64, min: 1, max: 1 << 16),
            HiddenSizes = sizes,
            Depths = depths,
            Bottleneck = c.GetChoice("layer_type", ["basic", "bottleneck"], "bottleneck") == "bottleneck",
            HiddenAct = c.GetChoice("hidden_act", Activations.Names, "relu"),
            DownsampleInFirstStage = c.GetBool("downsample_in_first_stage", false),
            DownsampleInBottleneck = c.GetBool("downsample_in_bottleneck", false),
        };
    }
}

/// <summary>act(norm(convolution(x))).</summary>
public sealed class ResNetConvolution : Module
{
    private readonly Conv _conv;
    private readonly BatchNorm? _norm;
    private readonly FrozenBatchNorm? _frozenNorm;
    private readonly Func<Tensor, Tensor>? _act;

    internal ResNetConvolution(ResNetConfig c, int from, int to, int kernel, int stride, string? act)
    {
        _conv = Add("convolution", new Conv(from, to, [kernel, kernel], new ConvOptions { Stride = [stride, stride], Padding = [kernel / 2, kernel / 2], Bias = false }));
        _norm = c.IsFrozen ? null : Add("normalization", new BatchNorm(to));
        _frozenNorm = c.IsFrozen ? Add("normalization", new FrozenBatchNorm(to)) : null;
        _act = act is null ? null : Activations.Get(act);
    }

    internal Tensor Forward(Tensor x, ForwardPass pass)
    {
        x = _conv.Forward(x, pass);
        x = _norm?.Forward(x, pass) ?? _frozenNorm!.Forward(x, pass);
        return pass.Visit(this, _act is null ? x : _act(x));
    }
}

/// <summary>act(layers(x) + shortcut(x)).</summary>
public sealed class ResNetLayer : Module
{
    private readonly ResNetConvolution[] _layers;
    private readonly ResNetConvolution? _shortcut;
    private readonly Func<Tensor, Tensor> _act;

    internal ResNetLayer(ResNetConfig c, int from, int to, int stride)
    {
        int middle = c.Bottleneck ? to / 4 : to, first = c.Bottleneck && !c.DownsampleInBottleneck ? 1 : stride;
        _shortcut = from != to || stride != 1 ? Add("shortcut", new ResNetConvolution(c, from, to, 1, stride, null)) : null;
        _layers = c.Bottleneck
            ? [Layer(c, 0, from, middle, 1, first, c.HiddenAct), Layer(c, 1, middle, middle, 3, stride / first, c.HiddenAct), Layer(c, 2, middle, to, 1, 1, null)]
            : [Layer(c, 0, from, to, 3, stride, c.HiddenAct), Layer(c, 1, to, to, 3, 1, null)];
        _act = Activations.Get(c.HiddenAct);
    }

    private ResNetConvolution Layer(ResNetConfig c, int index, int from, int to, int kernel, int stride, string? act) =>
        Add($"layer.{index}", new ResNetConvolution(c, from, to, kernel, stride, act));

    internal Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor h = x;
        foreach (ResNetConvolution layer in _layers)
        {
            h = layer.Forward(h, pass);
        }
        return pass.Visit(this, _act(h + (_shortcut?.Forward(x, pass) ?? x)));
    }
}

/// <summary>Layers at one resolution; the first one halves it.</summary>
public sealed class ResNetStage : Module
{
    private readonly ResNetLayer[] _layers;

    internal ResNetStage(ResNetConfig c, int index)
    {
        int from = index == 0 ? c.EmbeddingSize : c.HiddenSizes[index - 1], to = c.HiddenSizes[index], stride = index > 0 || c.DownsampleInFirstStage ? 2 : 1;
        _layers = [.. Enumerable.Range(0, c.Depths[index]).Select(i => Add($"layers.{i}", i == 0 ? new ResNetLayer(c, from, to, stride) : new ResNetLayer(c, to, to, 1)))];
    }

    internal Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, _layers.Aggregate(x, (h, layer) => layer.Forward(h, pass)));
}

/// <summary>The network below the classifier: <c>resnet</c> in checkpoints.</summary>
public sealed class ResNetModel : Module
{
    private readonly ResNetConvolution _first;
    private readonly ResNetStage[] _stages;

    internal ResNetModel(ResNetConfig c)
    {
        _first = Add("embedder.embedder", new ResNetConvolution(c, c.NumChannels, c.EmbeddingSize, 7, 2, c.HiddenAct));
        _stages = [.. Enumerable.Range(0, c.Depths.Count).Select(i => Add($"encoder.stages.{i}", new ResNetStage(c, i)))];
        if (c.IsFrozen)
        {
            Freeze();
        }
    }

    /// <summary>Images (B, K, h, w) to features (B, C, h / 32, w / 32).</summary>
    internal Tensor Forward(Tensor images, ForwardPass pass)
    {
        Tensor x = _first.Forward(images, pass).MaxPool([3, 3], [2, 2], [1, 1]);
        x = pass.Tap is null ? x : pass.Tap.Visit("resnet.embedder.pooler", x);
        return _stages.Aggregate(x, (h, stage) => stage.Forward(h, pass));
    }
}

/// <summary>ResNet with its classifier: <c>ResNetForImageClassification</c>.</summary>
public sealed class ResNet : Model
{
    private readonly ResNetModel _model;
    private readonly LabelConfig _labels;
    private readonly Linear _classifier;

    /// <summary>A model without weights; initialise or load it.</summary>
    public ResNet(ConfigReader config) : base(config)
    {
        Config = ResNetConfig.Read(config);
        _labels = LabelConfig.Read(config);
        _model = Add("resnet", new ResNetModel(Config));
        _classifier = Add("classifier.1", new Linear(Config.HiddenSizes[^1], _labels.Count));
    }

    /// <summary>What it was built from.</summary>
    public ResNetConfig Config { get; }

    /// <inheritdoc/>
    public override string BasePrefix => "resnet.";

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => HiddenStatePaths.Encoder("resnet.embedder.pooler", "resnet.encoder.stages", Config.Depths.Count);

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor pixels = pass.Scope.Use(inputs.Require("pixel_values"));
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        Tensor logits = _classifier.Forward(_model.Forward(pixels, pass).AdaptiveAvgPool([1, 1]).Flatten(1), pass);
        return new ModelOutputs().With("loss", labels is null ? null : _labels.Loss(logits, labels, pass.Scope)).With("logits", logits);
    }
}
