namespace Banyan.Nn;

/// <summary>What an AlexNet is built from.</summary>
public sealed record AlexNetOptions
{
    /// <summary>Channels behind the five convolutions. Default: those of torchvision, 64, 192, 384, 256, 256.</summary>
    public IReadOnlyList<int> Channels { get; init; } = [64, 192, 384, 256, 256];

    /// <summary>Widths of the two linear layers below the last. Default: 4096, 4096.</summary>
    public IReadOnlyList<int> Hidden { get; init; } = [4096, 4096];

    /// <summary>Places of a side to which the features are averaged. Default: 6.</summary>
    public int Side { get; init; } = 6;

    /// <summary>Number of classes. Default: 1000.</summary>
    public int Classes { get; init; } = 1000;

    /// <summary>Dropout before the first two linear layers, in training only. Default: 0.5.</summary>
    public double Dropout { get; init; } = 0.5;
}

/// <summary>AlexNet (Krizhevsky, Sutskever, Hinton 2012; in one piece: Krizhevsky 2014, arXiv:1404.5997). Parameters: <c>features.0</c> to <c>classifier.6</c>, as torchvision names them.</summary>
public sealed class AlexNet : Module
{
    private readonly AlexNetOptions _o;
    private readonly Conv[] _convs;
    private readonly Linear[] _linears;
    private readonly Dropout[] _drops;

    /// <summary>A network.</summary>
    public AlexNet(AlexNetOptions? options = null)
    {
        _o = options ?? new();
        if (_o.Channels.Count != 5 || _o.Hidden.Count != 2)
        {
            throw new ArgumentException($"AlexNet has 5 convolutions and 2 hidden layers, given {_o.Channels.Count} and {_o.Hidden.Count} widths");
        }
        Conv Convolution(int place, int from, int to, int kernel, int stride, int padding) =>
            Add($"features.{place}", new Conv(from, to, [kernel, kernel], new ConvOptions { Stride = [stride, stride], Padding = [padding, padding] }));
        IReadOnlyList<int> c = _o.Channels;
        _convs = [Convolution(0, 3, c[0], 11, 4, 2), Convolution(3, c[0], c[1], 5, 1, 2), Convolution(6, c[1], c[2], 3, 1, 1), Convolution(8, c[2], c[3], 3, 1, 1), Convolution(10, c[3], c[4], 3, 1, 1)];
        _drops = [Add("classifier.0", new Dropout(_o.Dropout)), Add("classifier.3", new Dropout(_o.Dropout))];
        _linears = [Add("classifier.1", new Linear(c[4] * _o.Side * _o.Side, _o.Hidden[0])), Add("classifier.4", new Linear(_o.Hidden[0], _o.Hidden[1])), Add("classifier.6", new Linear(_o.Hidden[1], _o.Classes))];
    }

    /// <summary>Pictures (B, 3, height, width) to logits (B, classes).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        for (int i = 0; i < _convs.Length; i++)
        {
            x = _convs[i].Forward(x, pass).Relu();
            x = i is 0 or 1 or 4 ? x.MaxPool([3, 3], [2, 2]) : x;
        }
        x = x.AdaptiveAvgPool([_o.Side, _o.Side]).Flatten(1);
        x = _linears[0].Forward(_drops[0].Forward(x, pass), pass).Relu();
        x = _linears[1].Forward(_drops[1].Forward(x, pass), pass).Relu();
        return pass.Visit(this, _linears[2].Forward(x, pass));
    }
}
