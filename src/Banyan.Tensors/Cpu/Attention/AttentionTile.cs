namespace Banyan.Cpu;

/// <summary>Sizes that the tiles of both passes share.</summary>
/// <remarks>
/// The key block is part of the numeric promise: blocks are counted from key 0 of each sequence, so a query's result is one function of its
/// row and its sequence. The other sizes are free; they never show in a result.
/// </remarks>
internal static class AttentionTile
{
    /// <summary>Keys in a block: a multiple of the panels of every vector width and of <see cref="TileProduct.PanelRows"/>.</summary>
    public const int Keys = 96;

    /// <summary>Rows (query, head of the group) in a tile.</summary>
    public const int Rows = 96;

    /// <summary>Rows that pass through scores, softmax and product together, so that their scores stay in the first-level cache.</summary>
    public const int Strip = 24;

    /// <summary>Row sums run in 16 lanes, on every vector width.</summary>
    public const int Lanes = 16;

    /// <summary>Columns are looked at in chunks of this many: the widest panel.</summary>
    public const int Chunk = 32;

    /// <summary>Elements between the rows of a score tile. As in <see cref="RowStride"/>, an odd number of cache lines spreads the rows over the cache's sets.</summary>
    public const int ScoreStride = Keys + 16;

    /// <summary>A head dimension rounded up to the widest panel.</summary>
    public static int Padded(int dim) => (dim + Chunk - 1) / Chunk * Chunk;

    /// <summary>Elements between the rows of a copied tile.</summary>
    public static int RowStride(int dim) => Padded(dim) + 16;

    /// <summary>Tiles that cover <paramref name="count"/> rows or keys.</summary>
    public static long Count(long count) => (count + Rows - 1) / Rows;

    /// <summary>The segment whose run of items holds <paramref name="item"/>: <paramref name="starts"/> has one entry more than segments.</summary>
    public static unsafe int Find(long* starts, int segments, long item)
    {
        int low = 0, high = segments;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            (low, high) = starts[middle] <= item ? (middle, high) : (low, middle);
        }
        return low;
    }

    /// <summary>The columns of the block at <paramref name="keyStart"/> that a range leaves, as whole chunks: [Begin, End).</summary>
    public static (int Begin, int End) Columns(KeyRange range, long keyStart)
    {
        long begin = Math.Clamp(range.Begin - keyStart, 0, Keys), end = Math.Clamp(range.End - keyStart, 0, Keys);
        return begin >= end ? (0, 0) : ((int)begin / Chunk * Chunk, ((int)end + Chunk - 1) / Chunk * Chunk);
    }
}

/// <summary>Hands out pieces of one scratch slot, each aligned to a cache line; run over null it measures.</summary>
internal unsafe struct ScratchCursor(byte* start)
{
    private nint _bytes;

    public readonly nint Bytes => _bytes;

    public float* Floats(nint count)
    {
        byte* piece = start + _bytes;
        _bytes += (count * sizeof(float) + 63) & ~63;
        return (float*)piece;
    }
}
