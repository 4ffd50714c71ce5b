namespace Banyan.Nn;

/// <summary>
/// Squeeze and excitation (Hu, Shen, Sun 2018, arXiv:1709.01507): x * sigmoid(fc2(relu(fc1(mean of x)))), a factor for each channel. Parameters: <c>fc1</c>, <c>fc2</c> (1 x 1 convolutions, as
/// torchvision has them).
/// </summary>
public sealed class SqueezeExcitation : Module
{
    private readonly Conv _squeeze, _excite;

    /// <summary>A layer.</summary>
    /// <param name="channels">Channels of the input.</param>
    /// <param name="squeezed">Channels between.</param>
    public SqueezeExcitation(int channels, int squeezed) => (_squeeze, _excite) = (Add("fc1", new Conv(channels, squeezed, [1, 1])), Add("fc2", new Conv(squeezed, channels, [1, 1])));

    /// <summary>(B, channels, h, w) to the same.</summary>
    public Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, x * _excite.Forward(_squeeze.Forward(x.AdaptiveAvgPool([1, 1]), pass).Relu(), pass).Sigmoid());
}
