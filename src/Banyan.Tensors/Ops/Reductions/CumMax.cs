using Banyan.Cpu;

namespace Banyan;

// Running extremes: the values are gathered, so the gradient goes to the index that was returned.
public sealed partial class Tensor
{
    /// <summary>The largest elements so far along one dimension, and their (latest) indices, int64. NaN counts as largest.</summary>
    public (Tensor Values, Tensor Indices) CumMax(int dim) => Running(dim, isMin: false);

    /// <summary>The smallest elements so far along one dimension, and their (latest) indices, int64. NaN counts as smallest.</summary>
    public (Tensor Values, Tensor Indices) CumMin(int dim) => Running(dim, isMin: true);

    private (Tensor Values, Tensor Indices) Running(int dim, bool isMin)
    {
        int axis = Shape.Axis(dim);
        Tensor indices = Allocate(this, Shape, DType.Int64);
        CumMaxLoop.Run(Elementwise.Convert(this, Promotion.ComputeType(DType)), indices, axis, isMin);
        return (Gather(axis, indices), indices);
    }
}
