namespace Banyan;

// Variance in two passes: first the mean, then the squared distances from it, so that a large offset cancels nothing.
public sealed partial class Tensor
{
    /// <summary>The variance over some dimensions: sum of (x - mean)^2 / (n - correction). NaN where n - correction is 0.</summary>
    public Tensor Var(ReadOnlySpan<int> dims, double correction = 1, bool keepDim = false) => VarMean(dims, correction, keepDim).Var;

    /// <summary>The variance of all elements, 0-d.</summary>
    public Tensor Var(double correction = 1) => Var(Ops.ReduceDims.AllOf(this), correction);

    /// <summary>The standard deviation over some dimensions. Its slope where it is 0 counts as 0.</summary>
    public Tensor Std(ReadOnlySpan<int> dims, double correction = 1, bool keepDim = false) => Var(dims, correction, keepDim).SqrtFlatAtZero();

    /// <summary>The standard deviation of all elements, 0-d.</summary>
    public Tensor Std(double correction = 1) => Std(Ops.ReduceDims.AllOf(this), correction);

    /// <summary>Variance and mean over some dimensions.</summary>
    public (Tensor Var, Tensor Mean) VarMean(ReadOnlySpan<int> dims, double correction = 1, bool keepDim = false)
    {
        Tensor mean = Mean(dims, keepDim: true);
        double n = Math.Max(0, Ops.ReduceDims.CountOver(this, dims) - correction);
        Tensor var = (this - mean).Square().Sum(dims, keepDim) / n;
        return (var, keepDim ? mean : Ops.ReduceDims.Drop(mean, dims));
    }

    /// <summary>The square root with slope 0 (instead of infinity) at 0.</summary>
    internal Tensor SqrtFlatAtZero()
    {
        Tensor zero = Eq(0);
        return MaskedFill(zero, 1).Sqrt().MaskedFill(zero, 0);
    }
}
