namespace Banyan.Cpu;

/// <summary>
/// How a product is cut (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008; BLIS): a panel of B,
/// <see cref="Depth"/> x 2W, stays in the first cache; a block of A, <see cref="Rows"/> x <see cref="Depth"/>, in the second; a block of
/// B, <see cref="Depth"/> x <see cref="Columns"/>, in the last. The result does not depend on it.
/// </summary>
internal readonly record struct GemmBlocking(long Rows, long Columns, long Depth, OperandPacking Packing = OperandPacking.Auto)
{
    /// <summary>Fits this machine's caches.</summary>
    public static readonly GemmBlocking Default = For(CpuCaches.L1, CpuCaches.L2, CpuCaches.L3, Isa.Width);

    /// <summary>Rows of a tile.</summary>
    public static int TileRows(int width) => width == 16 ? 14 : 6;

    /// <summary>Columns of a tile: two vectors.</summary>
    public static int TileColumns(int width) => 2 * width;

    private static GemmBlocking For(long l1, long l2, long l3, int width)
    {
        const int Bytes = sizeof(float);
        long depth = Math.Clamp(l1 / 2 / (TileColumns(width) * Bytes), 128, 512);
        long rows = Math.Max(l2 / 2 / (depth * Bytes), 4 * TileRows(width));
        long columns = Math.Max(l3 / 2 / (depth * Bytes), 16 * TileColumns(width));
        return new(rows, columns, depth);
    }
}

/// <summary>Whether operands are copied into panels first.</summary>
internal enum OperandPacking
{
    /// <summary>Large ones are, small ones are read in place.</summary>
    Auto,

    /// <summary>Always.</summary>
    Always,

    /// <summary>Only where the strides force it.</summary>
    Avoid,
}
