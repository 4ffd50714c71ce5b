namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>
    /// The p-norm of vectors over some dimensions: (sum of |x|^p)^(1/p). Infinity: the largest magnitude; -infinity: the smallest; 0: how many are
    /// not 0. The gradient at a zero vector is 0.
    /// </summary>
    public Tensor VectorNorm(ReadOnlySpan<int> dims, double p = 2, bool keepDim = false) => p switch
    {
        2 => Square().Sum(dims, keepDim).SqrtFlatAtZero(),
        1 => Abs().Sum(dims, keepDim),
        0 => Ne(0).To(DType).Sum(dims, keepDim),
        double.PositiveInfinity => Abs().AMax(dims, keepDim),
        double.NegativeInfinity => Abs().AMin(dims, keepDim),
        _ => PowFlatAtZero(PowFlatAtZero(Abs(), p).Sum(dims, keepDim), 1 / p),
    };

    /// <summary>The p-norm of all elements, 0-d.</summary>
    public Tensor VectorNorm(double p = 2) => VectorNorm(Ops.ReduceDims.AllOf(this), p);

    /// <summary>The Frobenius norm of the matrices in the last two dimensions: the root of the sum of squares.</summary>
    public Tensor FrobeniusNorm(bool keepDim = false) => VectorNorm([-2, -1], 2, keepDim);

    /// <summary>This tensor divided by its p-norm along one dimension, which counts as at least <paramref name="eps"/>.</summary>
    public Tensor Normalize(double p = 2, int dim = 1, double eps = 1e-12) => this / VectorNorm([dim], p, keepDim: true).Clamp(min: eps);

    /// <summary>x . y / (max(|x|, eps) max(|y|, eps)) along one dimension.</summary>
    public Tensor CosineSimilarity(Tensor y, int dim = 1, double eps = 1e-8) =>
        (Normalize(2, dim, eps) * y.Normalize(2, dim, eps)).Sum(dim);

    /// <summary>The p-norm of x - y + eps over the last dimension.</summary>
    public Tensor PairwiseDistance(Tensor y, double p = 2, double eps = 1e-6, bool keepDim = false) => (this - y + eps).VectorNorm([-1], p, keepDim);

    /// <summary>The p-distance of every row of this tensor (..., M, D) to every row of y (..., N, D): (..., M, N).</summary>
    public Tensor CDist(Tensor y, double p = 2) => (Unsqueeze(-2) - y.Unsqueeze(-3)).VectorNorm([-1], p);

    // x^p for x of at least 0, with slope 0 at 0.
    private static Tensor PowFlatAtZero(Tensor x, double p)
    {
        Tensor zero = x.Eq(0);
        return x.MaskedFill(zero, 1).Pow(p).MaskedFill(zero, 0);
    }
}
