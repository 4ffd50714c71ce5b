using Banyan.Cpu;

namespace Banyan;

// Extremes along one dimension with their indices: the values are gathered, so the gradient goes to the index that was returned.
public sealed partial class Tensor
{
    /// <summary>The largest elements along one dimension and their (first) indices, int64. NaN counts as largest.</summary>
    public (Tensor Values, Tensor Indices) Max(int dim, bool keepDim = false) => Chosen(dim, keepDim, isMin: false);

    /// <summary>The smallest elements along one dimension and their (first) indices, int64. NaN counts as smallest.</summary>
    public (Tensor Values, Tensor Indices) Min(int dim, bool keepDim = false) => Chosen(dim, keepDim, isMin: true);

    /// <summary>The (first) index of the largest element along one dimension: int64. NaN counts as largest.</summary>
    public Tensor ArgMax(int dim, bool keepDim = false) => Drop(Arg(dim, isMin: false), dim, keepDim);

    /// <summary>The (first) index of the smallest element along one dimension: int64. NaN counts as smallest.</summary>
    public Tensor ArgMin(int dim, bool keepDim = false) => Drop(Arg(dim, isMin: true), dim, keepDim);

    /// <summary>The index of the largest of all elements in row-major order: 0-d, int64.</summary>
    public Tensor ArgMax() => Reshape(Count).ArgMax(0);

    /// <summary>The index of the smallest of all elements in row-major order: 0-d, int64.</summary>
    public Tensor ArgMin() => Reshape(Count).ArgMin(0);

    private (Tensor Values, Tensor Indices) Chosen(int dim, bool keepDim, bool isMin)
    {
        Tensor indices = Arg(dim, isMin);
        return (Drop(Gather(dim, indices), dim, keepDim), Drop(indices, dim, keepDim));
    }

    private Tensor Arg(int dim, bool isMin)
    {
        int axis = Shape.Axis(dim);
        if (Shape[axis] == 0)
        {
            throw new ArgumentException($"{(isMin ? "min" : "max")}: dimension {axis} of {Shape} is empty");
        }
        Tensor indices = Allocate(this, Shape.With(axis, 1), DType.Int64);
        ArgMaxLoop.Run(Elementwise.Convert(this, Promotion.ComputeType(DType)), indices, axis, isMin);
        return indices;
    }

    private static Tensor Drop(Tensor x, int dim, bool keepDim) => keepDim ? x : x.Squeeze(dim);
}
