namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>
    /// Local response normalisation (Krizhevsky et al. 2012) of this (N, C, ...): x / (k + alpha * mean of x^2 over size channels)^beta.
    /// </summary>
    /// <param name="size">Neighbouring channels that count, zeros beyond the edges.</param>
    /// <param name="alpha">Default: 1e-4.</param>
    /// <param name="beta">Default: 0.75.</param>
    /// <param name="k">Default: 1.</param>
    public Tensor LocalResponseNorm(int size, double alpha = 1e-4, double beta = 0.75, double k = 1)
    {
        Tensor squares = (this * this).Transpose(1, -1);
        Tensor mean = squares.AvgPool([size], stride: [1], padding: [size / 2, (size - 1) / 2]).Transpose(1, -1);
        return this / (mean * alpha + k).Pow(beta);
    }
}
