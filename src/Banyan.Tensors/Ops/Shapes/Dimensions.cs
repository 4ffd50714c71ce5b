namespace Banyan;

// Dimensions moved, merged, split: permutations and reshapes with names of their own.
public sealed partial class Tensor
{
    /// <summary>A view with the dimension <paramref name="source"/> moved to the place <paramref name="destination"/>.</summary>
    public Tensor MoveDim(int source, int destination)
    {
        int from = Shape.Axis(source), to = Shape.Axis(destination);
        Span<long> order = stackalloc long[Shape.MaxRank];
        for (int i = 0; i < Rank; i++)
        {
            // Between the two places everything moves up or down by one.
            order[i] = i == to ? from : i >= from && i < to ? i + 1 : i <= from && i > to ? i - 1 : i;
        }
        return Permute(order[..Rank]);
    }

    /// <summary>The dimensions from start to end (included) as one.</summary>
    public Tensor Flatten(int startDim = 0, int endDim = -1)
    {
        if (Rank == 0)
        {
            return Reshape(1);
        }
        int start = Shape.Axis(startDim), end = Shape.Axis(endDim);
        if (end < start)
        {
            throw new ArgumentException($"flatten: dimension {end} comes before {start}");
        }
        Span<long> sizes = stackalloc long[Shape.MaxRank];
        Shape.Span[..start].CopyTo(sizes);
        sizes[start] = Shape.Slice(start, end - start + 1).Count;
        Shape.Span[(end + 1)..].CopyTo(sizes[(start + 1)..]);
        return Reshape(new Shape(sizes[..(Rank - end + start)]));
    }

    /// <summary>One dimension as several; their sizes multiply to its size.</summary>
    public Tensor Unflatten(int dim, in Shape sizes)
    {
        int axis = Shape.Axis(dim);
        if (sizes.Count != Shape[axis])
        {
            throw new ArgumentException($"unflatten: {sizes} holds {sizes.Count} elements, dimension {axis} of {Shape} has {Shape[axis]}");
        }
        Shape shape = Shape.Without(axis);
        for (int i = 0; i < sizes.Rank; i++)
        {
            shape = shape.Insert(axis + i, sizes[i]);
        }
        return Reshape(shape);
    }

    /// <summary>A view without the dimensions of size 1.</summary>
    public Tensor Squeeze()
    {
        Shape shape = Shape;
        for (int d = Rank - 1; d >= 0; d--)
        {
            shape = shape[d] == 1 ? shape.Without(d) : shape;
        }
        return Reshape(shape);
    }

    /// <summary>
    /// All windows of <paramref name="size"/> elements along one dimension, <paramref name="step"/> apart, as a view: the dimension counts the windows,
    /// a new last dimension their elements.
    /// </summary>
    public Tensor Unfold(int dim, long size, long step) =>
        Ops.SlidingWindows.Apply(MoveDim(dim, -1), [size], [step], [1]).MoveDim(-1, Shape.Axis(dim));
}
