namespace Banyan;

// The same elements in another order along a dimension: gathered, so the gradient is scattered back.
public sealed partial class Tensor
{
    /// <summary>The elements of some dimensions in reverse order (a copy).</summary>
    public Tensor Flip(ReadOnlySpan<int> dims)
    {
        Tensor x = this;
        foreach (int dim in dims)
        {
            long n = Shape[dim];
            x = x.IndexSelect(dim, From(Sequence(n, i => n - 1 - i), [n]));
        }
        return x;
    }

    /// <summary>The elements of one dimension moved up by <paramref name="shift"/>; those that leave at the end come in at the start.</summary>
    public Tensor Roll(long shift, int dim)
    {
        long n = Shape[dim];
        return n == 0 ? this : IndexSelect(dim, From(Sequence(n, i => Wrapped(i - shift % n, n)), [n]));
    }

    /// <summary>Several dimensions rolled, dims[i] by shifts[i].</summary>
    public Tensor Roll(ReadOnlySpan<long> shifts, ReadOnlySpan<int> dims)
    {
        if (shifts.Length != dims.Length)
        {
            throw new ArgumentException($"roll: {shifts.Length} shifts for {dims.Length} dimensions");
        }
        Tensor x = this;
        for (int i = 0; i < dims.Length; i++)
        {
            x = x.Roll(shifts[i], dims[i]);
        }
        return x;
    }

    /// <summary>All elements rolled in row-major order; the shape stays.</summary>
    public Tensor Roll(long shift) => Reshape(Count).Roll(shift, 0).Reshape(Shape);

    /// <summary>The plane of two dimensions turned by k quarter turns, from the first towards the second.</summary>
    public Tensor Rot90(int k = 1, int dim0 = 0, int dim1 = 1) => (k & 3) switch
    {
        1 => Flip([dim1]).Transpose(dim0, dim1),
        2 => Flip([dim0, dim1]),
        3 => Flip([dim0]).Transpose(dim0, dim1),
        _ => this,
    };

    // i modulo n, in [0, n).
    private static long Wrapped(long i, long n) => (i % n + n) % n;
}
