namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>log(sum of e^x) over one dimension, computed from the largest element.</summary>
    public Tensor LogSumExp(int dim, bool keepDim = false)
    {
        Tensor max = Detach().Max(dim, keepDim: true).Values;
        max = max.MaskedFill(max.Abs().Eq(double.PositiveInfinity), 0);
        Tensor y = (this - max).Exp().Sum(dim, keepDim: true).Log() + max;
        return keepDim ? y : y.Squeeze(dim);
    }
}
