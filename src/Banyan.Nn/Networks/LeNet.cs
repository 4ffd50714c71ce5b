namespace Banyan.Nn;

/// <summary>
/// LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition"): two convolutions, each halved, and two linear layers. Between them stand what
/// the paper had, tanh and averages, and what came after it, maxima and relu. Parameters: <c>conv1</c>, <c>conv2</c>, <c>fc1</c>, <c>fc2</c>.
/// </summary>
public sealed class LeNet : Module
{
    private readonly Conv _conv1, _conv2;
    private readonly Linear _fc1, _fc2;

    /// <summary>A network for pictures of 28 x 28 pixels.</summary>
    /// <param name="channels">Channels of a picture. Default: 1.</param>
    /// <param name="classes">Number of classes. Default: 10.</param>
    /// <param name="first">Channels behind the first convolution. Default: 6.</param>
    /// <param name="second">Channels behind the second. Default: 16.</param>
    /// <param name="hidden">Width between the linear layers. Default: 120.</param>
    public LeNet(int channels = 1, int classes = 10, int first = 6, int second = 16, int hidden = 120)
    {
        _conv1 = Add("conv1", new Conv(channels, first, [5, 5], new ConvOptions { Padding = [2, 2] }));
        _conv2 = Add("conv2", new Conv(first, second, [5, 5]));
        _fc1 = Add("fc1", new Linear(second * 5 * 5, hidden));
        _fc2 = Add("fc2", new Linear(hidden, classes));
    }

    /// <summary>Pictures (B, channels, 28, 28) to logits (B, classes).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        x = _conv1.Forward(x, pass).Tanh().MaxPool([2, 2]);
        x = _conv2.Forward(x, pass).Relu().AvgPool([2, 2]).Flatten(1);
        return pass.Visit(this, _fc2.Forward(_fc1.Forward(x, pass).Tanh(), pass));
    }
}
