namespace Banyan;

// One index list for a whole dimension: each is the elementwise operation with the list repeated along the other dimensions (stride 0, no copy).
public sealed partial class Tensor
{
    /// <summary>The slices of one dimension that <paramref name="index"/> (one-dimensional, int64) names, in its order.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is not in [0, size).</exception>
    public Tensor IndexSelect(int dim, Tensor index) => Gather(dim, index.Along(dim, Shape));

    /// <summary>A copy with alpha times the slices of <paramref name="source"/> added at the indices of one dimension.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is not in [0, size).</exception>
    public Tensor IndexAdd(int dim, Tensor index, Tensor source, double alpha = 1) =>
        ScatterAdd(dim, index.Along(dim, Shape), alpha == 1 ? source : source * alpha);

    /// <summary>A copy with the slices of <paramref name="source"/> put at the indices of one dimension.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is not in [0, size).</exception>
    public Tensor IndexCopy(int dim, Tensor index, Tensor source) => Scatter(dim, index.Along(dim, Shape), source);

    /// <summary>A copy with a number in the slices at the indices of one dimension.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is not in [0, size).</exception>
    public Tensor IndexFill(int dim, Tensor index, double value) => Scatter(dim, index.Along(dim, Shape), value);

    // This list along one dimension of a tensor, the same for all others.
    private Tensor Along(int dim, in Shape shape)
    {
        if (Rank > 1)
        {
            throw new ArgumentException($"index: a list is needed (one dimension), given {Shape}");
        }
        int axis = shape.Axis(dim);
        Span<long> sizes = stackalloc long[Shape.MaxRank];
        sizes.Fill(1);
        sizes[axis] = Count;
        return Reshape(new Shape(sizes[..shape.Rank])).Expand(shape.With(axis, Count));
    }
}
