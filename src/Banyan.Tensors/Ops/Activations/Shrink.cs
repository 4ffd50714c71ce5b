namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>x moved towards 0 by lambda, 0 within it.</summary>
    public Tensor Softshrink(double lambda = 0.5) => this - Clamp(-lambda, lambda);

    /// <summary>x where |x| exceeds lambda, else 0.</summary>
    public Tensor Hardshrink(double lambda = 0.5) => MaskedFill(Abs() <= lambda, 0);

    /// <summary>x - tanh(x).</summary>
    public Tensor Tanhshrink() => this - Tanh();

    /// <summary>x where it exceeds the threshold, else value.</summary>
    public Tensor Threshold(double threshold, double value) => MaskedFill(this <= threshold, value);
}
