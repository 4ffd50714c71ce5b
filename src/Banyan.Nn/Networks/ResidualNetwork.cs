namespace Banyan.Nn;

/// <summary>
/// A residual block (He et al. 2016, arXiv:1512.03385) under torchvision's names: relu(x + layers(x)). Two 3 x 3 convolutions, or as a bottleneck 1 x 1, 3 x 3 and 1 x 1 with the stride in the
/// middle. Parameters: <c>conv1</c>, <c>bn1</c> and so on; <c>downsample</c> where the shape changes.
/// </summary>
public sealed class ResidualBlock : Module
{
    private readonly (Conv Conv, BatchNorm Norm)[] _layers;
    private readonly Conv? _shortcut;
    private readonly BatchNorm? _shortcutNorm;

    /// <summary>A block.</summary>
    /// <param name="from">Channels of the input.</param>
    /// <param name="to">Channels of the output.</param>
    /// <param name="stride">What the picture is divided by. Default: 1.</param>
    /// <param name="between">Channels within a bottleneck; null: no bottleneck.</param>
    public ResidualBlock(int from, int to, int stride = 1, int? between = null)
    {
        _layers = between is { } b ? [Layer(1, from, b, 1, 1), Layer(2, b, b, 3, stride), Layer(3, b, to, 1, 1)] : [Layer(1, from, to, 3, stride), Layer(2, to, to, 3, 1)];
        if (from != to || stride != 1)
        {
            _shortcut = Add("downsample.0", new Conv(from, to, [1, 1], new ConvOptions { Stride = [stride, stride], Bias = false }));
            _shortcutNorm = Add("downsample.1", new BatchNorm(to));
        }
    }

    /// <summary>(B, from, h, w) to (B, to, h / stride, w / stride).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor h = x;
        for (int i = 0; i < _layers.Length; i++)
        {
            h = _layers[i].Norm.Forward(_layers[i].Conv.Forward(h, pass), pass);
            h = i + 1 < _layers.Length ? h.Relu() : h;
        }
        return pass.Visit(this, (h + (_shortcut is null ? x : _shortcutNorm!.Forward(_shortcut.Forward(x, pass), pass))).Relu());
    }

    private (Conv Conv, BatchNorm Norm) Layer(int index, int from, int to, int kernel, int stride) =>
        (Add($"conv{index}", new Conv(from, to, [kernel, kernel], new ConvOptions { Stride = [stride, stride], Padding = [kernel / 2, kernel / 2], Bias = false })), Add($"bn{index}", new BatchNorm(to)));
}

/// <summary>A ResNet of basic blocks under torchvision's names: <c>conv1</c>, <c>bn1</c>, <c>layer1.0</c> and so on, <c>fc</c>.</summary>
public sealed class ResidualNetwork : Module
{
    private readonly Conv _conv;
    private readonly BatchNorm _norm;
    private readonly ResidualBlock[] _blocks;
    private readonly Linear _head;

    /// <summary>A network.</summary>
    /// <param name="channels">Channels of a picture.</param>
    /// <param name="widths">Channels of each stage; all but the first halve the picture.</param>
    /// <param name="depths">Blocks of each stage.</param>
    /// <param name="classes">Number of classes.</param>
    public ResidualNetwork(int channels, IReadOnlyList<int> widths, IReadOnlyList<int> depths, int classes)
    {
        _conv = Add("conv1", new Conv(channels, widths[0], [7, 7], new ConvOptions { Stride = [2, 2], Padding = [3, 3], Bias = false }));
        _norm = Add("bn1", new BatchNorm(widths[0]));
        _blocks = [.. from stage in Enumerable.Range(0, widths.Count) from i in Enumerable.Range(0, depths[stage])
            select Add($"layer{stage + 1}.{i}", new ResidualBlock(i > 0 || stage == 0 ? widths[stage] : widths[stage - 1], widths[stage], i == 0 && stage > 0 ? 2 : 1))];
        _head = Add("fc", new Linear(widths[^1], classes));
    }

    /// <summary>Pictures (B, channels, height, width) to logits (B, classes).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        x = _norm.Forward(_conv.Forward(x, pass), pass).Relu().MaxPool([3, 3], [2, 2], [1, 1]);
        x = _blocks.Aggregate(x, (h, block) => block.Forward(h, pass));
        return pass.Visit(this, _head.Forward(x.AdaptiveAvgPool([1, 1]).Flatten(1), pass));
    }
}
