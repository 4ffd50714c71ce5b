namespace Banyan;

// NumPy's advanced indexing: one index tensor for each dimension (null: all of it). The indexed dimensions go to the front and become one, whose flat
// indices are then selected or written.
public sealed partial class Tensor
{
    /// <summary>
    /// x[i, j, ...]: the elements at index tensors (int64, broadcast against each other; negative ones count from the end), one for each of the first
    /// dimensions, null for a whole one. The dimensions of the indices stand where the indexed ones stood when those are neighbours, else in front.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">An index lies outside of its dimension.</exception>
    public Tensor Index(params Tensor?[] indices)
    {
        Indexed at = Resolve(indices);
        Shape rest = at.Front.Shape.Slice(at.Dims.Length, Rank - at.Dims.Length);
        Tensor rows = at.Front.Reshape(new Shape([at.Size, .. rest])).IndexSelect(0, at.Place.Reshape(at.Place.Count));
        Tensor y = rows.Reshape(new Shape([.. at.Place.Shape, .. rest]));
        int first = at.Dims[0];
        if (first > 0 && at.Dims[^1] - first == at.Dims.Length - 1)
        {
            // Neighbours: back behind the dimensions that stand before them.
            int n = at.Place.Rank;
            y = y.Permute([.. Axes(n, first), .. Axes(0, n), .. Axes(n + first, y.Rank - n - first)]);
        }
        return y;
    }

    /// <summary>A copy with <paramref name="values"/> (broadcast to the shape of <see cref="Index"/>) put, or added, at index tensors.</summary>
    /// <param name="indices">As for <see cref="Index"/>.</param>
    /// <param name="values">What to put.</param>
    /// <param name="accumulate">True adds; of several for one element all count. False puts; the last stays.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index lies outside of its dimension.</exception>
    public Tensor IndexPut(Tensor?[] indices, Tensor values, bool accumulate = false)
    {
        // The flat places of what Index would read.
        Tensor places = From(Sequence(Count, i => i), [Count]).Reshape(Shape).Index(indices);
        Tensor source = values.Expand(places.Shape).Reshape(places.Count), flat = Reshape(Count), at = places.Reshape(places.Count);
        return (accumulate ? flat.ScatterAdd(0, at, source) : flat.Scatter(0, at, source)).Reshape(Shape);
    }

    private readonly record struct Indexed(Tensor Front, Tensor Place, int[] Dims, long Size);

    // This tensor with the indexed dimensions in front, and the flat index into them.
    private Indexed Resolve(Tensor?[] indices)
    {
        int[] dims = [.. Enumerable.Range(0, indices.Length).Where(d => indices[d] is not null)];
        if (dims.Length == 0 || indices.Length > Rank)
        {
            throw new ArgumentException($"index: {indices.Length} indices ({dims.Length} not null) for {Shape}; give one to {Rank}");
        }
        Tensor? place = null;
        long size = 1;
        foreach (int d in dims)
        {
            Tensor i = indices[d]!.FromEnd(Shape[d]).Inside(Shape[d]);
            place = place is null ? i : place * i.Number(Shape[d]) + i;
            size *= Shape[d];
        }
        long[] order = [.. dims, .. Enumerable.Range(0, Rank).Except(dims)];
        return new(Permute(order), place!, dims, size);
    }

    // Checked here, since a flat index hides in which dimension one was outside.
    private Tensor Inside(long size)
    {
        if (!Device.IsMeta && Count > 0 && (Min().Item() < 0 || Max().Item() >= size))
        {
            throw new ArgumentOutOfRangeException(nameof(size), $"index: {Min().Item()}..{Max().Item()} is outside of a dimension of {size}");
        }
        return this;
    }

    private static long[] Axes(int start, int count) => [.. Enumerable.Range(start, count).Select(d => (long)d)];
}
