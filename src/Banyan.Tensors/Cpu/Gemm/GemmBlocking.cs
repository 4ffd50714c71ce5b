namespace Banyan.Cpu;

/// <summary>
/// How a product is cut (after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008). The packed block of the
/// shared operand, <see cref="Rows"/> of A or <see cref="Columns"/> of B times <see cref="Depth"/>, waits in the last cache; panels
/// of <see cref="Depth"/> x 2W come from the second, and a tile of A stays in the first. The result does not depend on it.
/// </summary>
internal readonly record struct GemmBlocking(long Rows, long Columns, long Depth, OperandPacking Packing = OperandPacking.Auto)
{
    /// <summary>Fits this machine's caches.</summary>
    public static readonly GemmBlocking Default = For(CpuCaches.L1, CpuCaches.L3, Isa.Width);

    /// <summary>Rows of a tile.</summary>
    public static int TileRows(int width) => width == 16 ? 14 : 6;

    /// <summary>Columns of a tile: two vectors.</summary>
    public static int TileColumns(int width) => 2 * width;

    private static GemmBlocking For(long l1, long l3, int width)
    {
        const int Bytes = sizeof(float);
        long depth = Math.Clamp(2 * l1 / (TileColumns(width) * Bytes), 128, 768);
        long lines = Math.Max(l3 / 4 / (depth * Bytes), 256);
        return new(lines, lines, depth);
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
