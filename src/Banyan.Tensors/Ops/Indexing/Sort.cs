using Banyan.Cpu;

namespace Banyan;

// Orders along one dimension. The values are gathered by the indices, so gradients go back to where the elements came from.
public sealed partial class Tensor
{
    /// <summary>The indices (int64) that sort this tensor along one dimension. Equals keep their order; NaN counts as largest.</summary>
    public Tensor ArgSort(int dim = -1, bool descending = false) => Order(dim, Shape[dim], descending);

    /// <summary>The elements sorted along one dimension, and their indices (int64). Equals keep their order; NaN counts as largest.</summary>
    public (Tensor Values, Tensor Indices) Sort(int dim = -1, bool descending = false)
    {
        Tensor indices = ArgSort(dim, descending);
        return (Gather(dim, indices), indices);
    }

    /// <summary>
    /// The k largest (or smallest) elements along one dimension, the extreme one first, and their indices (int64). Of equals the first ones; NaN counts
    /// as largest.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The dimension has fewer than <paramref name="k"/> elements.</exception>
    public (Tensor Values, Tensor Indices) TopK(long k, int dim = -1, bool largest = true)
    {
        if (k < 0 || k > Shape[dim])
        {
            throw new ArgumentOutOfRangeException(nameof(k), k, $"topk: dimension {Shape.Axis(dim)} of {Shape} has {Shape[dim]} elements");
        }
        Tensor indices = Order(dim, k, descending: largest);
        return (Gather(dim, indices), indices);
    }

    private Tensor Order(int dim, long count, bool descending)
    {
        int axis = Shape.Axis(dim);
        Tensor indices = Allocate(this, Shape.With(axis, count), DType.Int64);
        SortLoop.Run(Elementwise.Convert(this, Promotion.ComputeType(DType)), indices, axis, descending);
        return indices;
    }
}
