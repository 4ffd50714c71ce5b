namespace Banyan.Nn;

/// <summary>
/// A layer of DenseNet (Huang et al. 2017, arXiv:1608.06993): what it makes is added as further channels, so that every later layer sees what every earlier one made. Parameters: <c>norm1</c>,
/// <c>conv1</c> (1 x 1), <c>norm2</c>, <c>conv2</c> (3 x 3).
/// </summary>
public sealed class DenseLayer : Module
{
    private readonly BatchNorm _norm1, _norm2;
    private readonly Conv _conv1, _conv2;

    /// <summary>A layer.</summary>
    /// <param name="channels">Channels of the input.</param>
    /// <param name="between">Channels between the convolutions; DenseNet: 4 times the growth.</param>
    /// <param name="growth">Channels that it adds.</param>
    public DenseLayer(int channels, int between, int growth)
    {
        (_norm1, _norm2) = (Add("norm1", new BatchNorm(channels)), Add("norm2", new BatchNorm(between)));
        _conv1 = Add("conv1", new Conv(channels, between, [1, 1], new ConvOptions { Bias = false }));
        _conv2 = Add("conv2", new Conv(between, growth, [3, 3], new ConvOptions { Padding = [1, 1], Bias = false }));
    }

    /// <summary>(B, channels, h, w) to (B, channels + growth, h, w).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        Tensor h = _conv1.Forward(_norm1.Forward(x, pass).Relu(), pass);
        return pass.Visit(this, Tensor.Cat([x, _conv2.Forward(_norm2.Forward(h, pass).Relu(), pass)], 1));
    }
}
