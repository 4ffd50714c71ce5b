namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>
    /// A convolution along time with one filter per channel that sees the present and the past: y[t] = bias + sum of w[k] x[t - K + 1 + k].
    /// Recurrent models use it before their scan.
    /// </summary>
    /// <param name="weight">(C, 1, K) or (C, K).</param>
    /// <param name="bias">(C), or null.</param>
    /// <param name="past">(K - 1, C): what came before, as the last call returned it; null: zeros.</param>
    /// <returns>y (T, C), and what the next call takes as its past.</returns>
    public (Tensor Y, Tensor Past) CausalConvolution(Tensor weight, Tensor? bias = null, Tensor? past = null)
    {
        long kernel = weight.Shape[-1], length = Shape[0];
        Tensor w = weight.InScopeOf(this).Reshape(-1, kernel);
        if (Rank != 2 || w.Shape[0] != Shape[1])
        {
            throw new ArgumentException($"causal convolution: x must be (T, C) with C = {w.Shape[0]}, given {Shape}");
        }
        Tensor x = Cat([past ?? Zeros(this, [kernel - 1, Shape[1]]), this], 0);
        Tensor? y = null;
        for (int k = 0; k < kernel; k++)
        {
            Tensor term = x.Slice(0, k, length) * w.Select(1, k);
            y = y is null ? term : y + term;
        }
        return (bias is null ? y! : y! + bias, x.Slice(0, length, kernel - 1));
    }

    private static Tensor Zeros(Tensor like, in Shape shape)
    {
        Tensor zeros = Allocate(like, shape);
        zeros.Fill(0);
        return zeros;
    }
}
