namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>ln(sum of e^x) over one dimension, computed from the largest element.</summary>
    public Tensor LogSumExp(int dim, bool keepDim = false) => LogSumExp([dim], keepDim);

    /// <summary>ln(sum of e^x) over some dimensions, computed from the largest element.</summary>
    public Tensor LogSumExp(ReadOnlySpan<int> dims, bool keepDim = false)
    {
        Tensor max = Detach().AMax(dims, keepDim: true);
        max = max.MaskedFill(max.IsInf(), 0);
        Tensor y = (this - max).Exp().Sum(dims, keepDim: true).Log() + max;
        return keepDim ? y : Ops.ReduceDims.Drop(y, dims);
    }
}
