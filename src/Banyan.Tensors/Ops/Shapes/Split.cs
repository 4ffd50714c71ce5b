namespace Banyan;

// Views of parts of one dimension.
public sealed partial class Tensor
{
    /// <summary>Views of <paramref name="size"/> elements each along one dimension; the last may be smaller.</summary>
    public Tensor[] Split(long size, int dim = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        long n = Shape[dim], count = Math.Max(1, (n + size - 1) / size);
        return Parts(dim, count, i => Math.Min(size, n - i * size));
    }

    /// <summary>Views of the given sizes along one dimension; they add up to its size.</summary>
    public Tensor[] Split(long[] sizes, int dim = 0)
    {
        if (sizes.Sum() != Shape[dim])
        {
            throw new ArgumentException($"split: {string.Join(" + ", sizes)} is not the size of dimension {Shape.Axis(dim)} of {Shape}");
        }
        return Parts(dim, sizes.Length, i => sizes[i]);
    }

    /// <summary>At most <paramref name="chunks"/> views of equal size along one dimension; the last may be smaller.</summary>
    public Tensor[] Chunk(long chunks, int dim = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunks, 1);
        return Split(Math.Max(1, (Shape[dim] + chunks - 1) / chunks), dim);
    }

    /// <summary>Exactly <paramref name="sections"/> views along one dimension; the first ones are larger by one where it does not divide.</summary>
    public Tensor[] TensorSplit(long sections, int dim = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sections, 1);
        long n = Shape[dim];
        return Parts(dim, sections, i => n / sections + (i < n % sections ? 1 : 0));
    }

    /// <summary>A view at each index of one dimension, which disappears.</summary>
    public Tensor[] Unbind(int dim = 0)
    {
        int axis = Shape.Axis(dim);
        return Array.ConvertAll(Parts(axis, Shape[axis], _ => 1), t => t.Squeeze(axis));
    }

    private Tensor[] Parts(int dim, long count, Func<long, long> size)
    {
        var parts = new Tensor[count];
        long start = 0;
        for (long i = 0; i < count; i++)
        {
            parts[i] = Slice(dim, start, size(i));
            start += size(i);
        }
        return parts;
    }
}
