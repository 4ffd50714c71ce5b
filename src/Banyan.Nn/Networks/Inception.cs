namespace Banyan.Nn;

/// <summary>relu(norm(convolution(x))) without a bias: <c>conv</c>, <c>bn</c>.</summary>
public sealed class ConvNorm : Module
{
    private readonly Conv _conv;
    private readonly BatchNorm _norm;

    /// <summary>A layer that keeps the size of the picture.</summary>
    public ConvNorm(int from, int to, int kernel, double eps = 1e-3)
    {
        _conv = Add("conv", new Conv(from, to, [kernel, kernel], new ConvOptions { Padding = [kernel / 2, kernel / 2], Bias = false }));
        _norm = Add("bn", new BatchNorm(to, eps));
    }

    /// <summary>(B, from, h, w) to (B, to, h, w).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, _norm.Forward(_conv.Forward(x, pass), pass).Relu());
}

/// <summary>
/// The Inception block (Szegedy et al. 2014, "Going deeper with convolutions", arXiv:1409.4842): four branches look at different scales, and their channels lie side by side. Parameters:
/// <c>branch1</c> to <c>branch4</c>, as torchvision's GoogLeNet names them (whose "5 x 5" is a 3 x 3 convolution too).
/// </summary>
public sealed class Inception : Module
{
    private readonly ConvNorm _one, _threeReduce, _three, _fiveReduce, _five, _pool;

    /// <summary>A block.</summary>
    /// <param name="channels">Channels of the input.</param>
    /// <param name="one">Channels of the 1 x 1 branch.</param>
    /// <param name="threeReduce">Channels before the 3 x 3 convolution.</param>
    /// <param name="three">Channels behind it.</param>
    /// <param name="fiveReduce">Channels before the second 3 x 3 convolution.</param>
    /// <param name="five">Channels behind it.</param>
    /// <param name="pool">Channels of the pooled branch.</param>
    public Inception(int channels, int one, int threeReduce, int three, int fiveReduce, int five, int pool)
    {
        _one = Add("branch1", new ConvNorm(channels, one, 1));
        (_threeReduce, _three) = (Add("branch2.0", new ConvNorm(channels, threeReduce, 1)), Add("branch2.1", new ConvNorm(threeReduce, three, 3)));
        (_fiveReduce, _five) = (Add("branch3.0", new ConvNorm(channels, fiveReduce, 1)), Add("branch3.1", new ConvNorm(fiveReduce, five, 3)));
        _pool = Add("branch4.1", new ConvNorm(channels, pool, 1));
    }

    /// <summary>(B, channels, h, w) to (B, one + three + five + pool, h, w).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, Tensor.Cat(
    [
        _one.Forward(x, pass), _three.Forward(_threeReduce.Forward(x, pass), pass), _five.Forward(_fiveReduce.Forward(x, pass), pass),
        _pool.Forward(x.MaxPool([3, 3], [1, 1], [1, 1]), pass),
    ], 1));
}
