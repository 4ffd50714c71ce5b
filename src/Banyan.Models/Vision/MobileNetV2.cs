using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

// MobileNet V2 (Sandler et al. 2018, arXiv:1801.04381): inverted residuals widen the channels, mix places channel by channel and narrow them again, without an activation where it is narrow.

/// <summary>Configuration of <see cref="MobileNetV2"/>, by the keys of <c>config.json</c>.</summary>
/// <param name="Multiplier">Factor of all numbers of channels. Default: 1.</param>
/// <param name="DivisibleBy">Numbers of channels are multiples of this. Default: 8.</param>
/// <param name="MinDepth">And at least this. Default: 8.</param>
/// <param name="ExpandRatio">How much wider a layer is within. Default: 6.</param>
/// <param name="OutputStride">By how much the picture shrinks; afterwards convolutions are dilated. Default: 32.</param>
/// <param name="TfPadding">Whether the picture is padded as TensorFlow does, more at the end. Default: true.</param>
/// <param name="HiddenAct">Activation. Default: relu6.</param>
/// <param name="NormEps">Added to variances. Default: 0.001.</param>
public sealed record MobileNetV2Config(double Multiplier, int DivisibleBy, int MinDepth, double ExpandRatio, int OutputStride, bool TfPadding, string HiddenAct, double NormEps)
{
    /// <summary>Reads <c>config.json</c>.</summary>
    public static MobileNetV2Config Read(ConfigReader c) => new(c.GetDouble("depth_multiplier", 1, min: 1e-3, max: 64), c.GetInt("depth_divisible_by", 8, min: 1, max: 1 << 10),
        c.GetInt("min_depth", 8, min: 1, max: 1 << 16), c.GetDouble("expand_ratio", 6, min: 1e-3, max: 1 << 10), c.GetInt("output_stride", 32, min: 1), c.GetBool("tf_padding", true),
        c.GetChoice("hidden_act", Activations.Names, "relu6"), c.GetDouble("layer_norm_eps", 0.001, min: 0));

    /// <summary>So many channels, multiplied.</summary>
    public int Channels(int channels) => Divisible(channels * Multiplier);

    /// <summary>The nearest number of channels that is allowed, not below nine tenths of it.</summary>
    public int Divisible(double channels)
    {
        int value = (int)Math.Round(channels, MidpointRounding.ToEven), result = Math.Max(MinDepth, (int)(value + DivisibleBy / 2.0) / DivisibleBy * DivisibleBy);
        return result < 0.9 * value ? result + DivisibleBy : result;
    }
}

/// <summary>act(norm(convolution(x))).</summary>
public sealed class MobileNetConvolution : Module
{
    private readonly Conv _conv;
    private readonly BatchNorm _norm;
    private readonly Func<Tensor, Tensor>? _act;
    private readonly int _kernel, _stride, _dilation;
    private readonly bool _tfPadding;

    internal MobileNetConvolution(MobileNetV2Config c, int from, int to, int kernel, int stride = 1, int groups = 1, int dilation = 1, bool act = true)
    {
        (_kernel, _stride, _dilation, _tfPadding) = (kernel, stride, dilation, c.TfPadding);
        int padding = c.TfPadding ? 0 : (kernel - 1) / 2 * dilation;
        _conv = Add("convolution", new Conv(from, to, [kernel, kernel], new ConvOptions { Stride = [stride, stride], Padding = [padding, padding], Dilation = [dilation, dilation], Groups = groups, Bias = false }));
        _norm = Add("normalization", new BatchNorm(to, c.NormEps, momentum: 0.997));
        _act = act ? Activations.Get(c.HiddenAct) : null;
    }

    internal Tensor Forward(Tensor x, ForwardPass pass)
    {
        x = _tfPadding && _kernel > 1 ? x.Pad([.. Around(x.Shape[3]), .. Around(x.Shape[2])]) : x;
        x = _norm.Forward(_conv.Forward(x, pass), pass);
        return pass.Visit(this, _act is null ? x : _act(x));
    }

    private long[] Around(long size)
    {
        long total = Math.Max(_kernel - (size % _stride == 0 ? _stride : size % _stride), 0), before = total / 2;
        return [before * _dilation, (total - before) * _dilation];
    }
}

/// <summary>reduce(mix(expand(x))), added to x where the shape stays.</summary>
public sealed class MobileNetLayer : Module
{
    private readonly MobileNetConvolution _expand, _mix, _reduce;
    private readonly bool _adds;

    internal MobileNetLayer(MobileNetV2Config c, int from, int to, int stride, int dilation)
    {
        int between = c.Divisible(from * c.ExpandRatio);
        _adds = stride == 1 && from == to;
        _expand = Add("expand_1x1", new MobileNetConvolution(c, from, between, 1));
        _mix = Add("conv_3x3", new MobileNetConvolution(c, between, between, 3, stride, between, dilation));
        _reduce = Add("reduce_1x1", new MobileNetConvolution(c, between, to, 1, act: false));
    }

    internal Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor h = _reduce.Forward(_mix.Forward(_expand.Forward(x, pass), pass), pass);
        return pass.Visit(this, _adds ? x + h : h);
    }
}

/// <summary>MobileNet V2 with a head for classes: <c>MobileNetV2ForImageClassification</c>.</summary>
public sealed class MobileNetV2 : Model
{
    private const string Base = "mobilenet_v2.";
    private static readonly int[] s_channels = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320];
    private static readonly int[] s_strides = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1];

    private readonly MobileNetConvolution _first, _mix, _reduce, _last;
    private readonly MobileNetConvolution? _expand;
    private readonly MobileNetLayer[] _layers;
    private readonly Dropout _drop;
    private readonly Linear _classifier;
    private readonly LabelConfig _labels;

    /// <summary>A model without weights; initialise or load it.</summary>
    public MobileNetV2(ConfigReader config) : base(config)
    {
        MobileNetV2Config c = Config = MobileNetV2Config.Read(config);
        _labels = LabelConfig.Read(config);
        int[] channels = Array.ConvertAll(s_channels, c.Channels);
        int wide = c.Channels(32), last = config.GetBool("finegrained_output", true) && c.Multiplier < 1 ? 1280 : c.Channels(1280);
        _first = Add(Base + "conv_stem.first_conv", new MobileNetConvolution(c, config.GetInt("num_channels", 3, min: 1, max: 1 << 12), wide, 3, 2));
        _expand = config.GetBool("first_layer_is_expansion", true) ? null : Add(Base + "conv_stem.expand_1x1", new MobileNetConvolution(c, wide, wide, 1));
        _mix = Add(Base + "conv_stem.conv_3x3", new MobileNetConvolution(c, wide, wide, 3, 1, wide));
        _reduce = Add(Base + "conv_stem.reduce_1x1", new MobileNetConvolution(c, wide, channels[0], 1, act: false));
        (int shrunk, int dilation) = (2, 1);
        _layers = new MobileNetLayer[s_strides.Length];
        for (int i = 0; i < _layers.Length; i++)
        {
            // Where the picture is small enough, later layers see as far by dilation.
            bool dilates = shrunk == c.OutputStride;
            _layers[i] = Add($"{Base}layer.{i}", new MobileNetLayer(c, channels[i], channels[i + 1], dilates ? 1 : s_strides[i], dilates ? dilation : 1));
            (shrunk, dilation) = dilates ? (shrunk, dilation * s_strides[i]) : (shrunk * s_strides[i], dilation);
        }
        _last = Add(Base + "conv_1x1", new MobileNetConvolution(c, channels[^1], last, 1));
        _drop = Add("dropout", new Dropout(config.GetDouble("classifier_dropout_prob", 0.8, min: 0, max: 0.999)));
        _classifier = Add("classifier", new Linear(last, _labels.Count, initializer: Initializer.Normal(config.GetDouble("initializer_range", 0.02, min: 0))));
    }

    /// <summary>What it was built from.</summary>
    public MobileNetV2Config Config { get; }

    /// <inheritdoc/>
    public override string BasePrefix => Base;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, string Path)> HiddenStates => Enumerable.Range(0, _layers.Length).Select(i => ($"hidden.{i}", $"{Base}layer.{i}"));

    /// <inheritdoc/>
    public override ModelOutputs Run(ModelInputs inputs, ForwardPass pass)
    {
        Tensor x = pass.Scope.Use(inputs.Require("pixel_values"));
        Tensor? labels = inputs.Find("labels");
        inputs.CheckAllRead();
        x = _first.Forward(x, pass);
        x = _reduce.Forward(_mix.Forward(_expand?.Forward(x, pass) ?? x, pass), pass);
        x = _last.Forward(_layers.Aggregate(x, (h, layer) => layer.Forward(h, pass)), pass);
        Tensor logits = _classifier.Forward(_drop.Forward(x.AdaptiveAvgPool([1, 1]).Flatten(1), pass), pass);
        return new ModelOutputs().With("loss", labels is null ? null : _labels.Loss(logits, labels, pass.Scope)).With("logits", logits);
    }
}
