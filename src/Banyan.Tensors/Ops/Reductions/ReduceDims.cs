using Banyan.Cpu;

namespace Banyan.Ops;

/// <summary>What the reductions share: the loop over one dimension, and the walk over several.</summary>
internal static class ReduceDims
{
    /// <summary>x combined over one dimension, which stays with size 1; not recorded.</summary>
    public static Tensor Over<R>(Tensor x, int axis, DType result) where R : struct, IReduction
    {
        DType compute = Promotion.ComputeType(x.DType);
        Tensor wide = Elementwise.Convert(x, compute);
        Tensor y = Tensor.Allocate(x, x.Shape.With(axis, 1), compute);
        ReduceLoop<R>.Run(wide, y, axis);
        return Elementwise.Convert(y, result);
    }

    /// <summary>Reduces one dimension after the other (each stays with size 1), then drops them unless <paramref name="keepDim"/>.</summary>
    public static Tensor OverEach(Tensor x, ReadOnlySpan<int> dims, bool keepDim, Func<Tensor, int, Tensor> reduce)
    {
        Span<bool> chosen = stackalloc bool[Shape.MaxRank];
        chosen.Clear();
        foreach (int dim in dims)
        {
            int axis = x.Shape.Axis(dim);
            if (chosen[axis])
            {
                throw new ArgumentException($"reduction: dimension {axis} of {x.Shape} is named twice");
            }
            chosen[axis] = true;
            x = reduce(x, axis);
        }
        return keepDim ? x : Drop(x, chosen);
    }

    /// <summary>All dimensions.</summary>
    public static ReadOnlySpan<int> AllOf(Tensor x)
    {
        ReadOnlySpan<int> dims = [0, 1, 2, 3, 4, 5, 6, 7];
        return dims[..x.Rank];
    }

    /// <summary>How many elements meet in one result.</summary>
    public static long CountOver(Tensor x, ReadOnlySpan<int> dims)
    {
        long count = 1;
        foreach (int dim in dims)
        {
            count *= x.Shape[dim];
        }
        return count;
    }

    public static Tensor Drop(Tensor x, ReadOnlySpan<int> dims)
    {
        Span<bool> chosen = stackalloc bool[Shape.MaxRank];
        chosen.Clear();
        foreach (int dim in dims)
        {
            chosen[x.Shape.Axis(dim)] = true;
        }
        return Drop(x, chosen);
    }

    private static Tensor Drop(Tensor x, ReadOnlySpan<bool> chosen)
    {
        Span<long> sizes = stackalloc long[Shape.MaxRank];
        int rank = 0;
        for (int d = 0; d < x.Rank; d++)
        {
            if (!chosen[d])
            {
                sizes[rank++] = x.Shape[d];
            }
        }
        return x.Reshape(new Shape(sizes[..rank]));
    }
}
