namespace Banyan.Cpu;

/// <summary>Handles tiles that are narrower than two vectors.</summary>
internal static unsafe class Tile
{
    /// <summary>See <see cref="MicroKernel.Run"/>; only <paramref name="cols"/> columns are read from and written to C.</summary>
    public static void Run<S, V, F, L>(long rows, long cols, long k, float* a, long aRow, long aCol, float* b, long bRow,
        float* from, long fromRow, float* to, long toRow)
        where S : struct, ISimd<V> where V : struct where F : struct, IOperands where L : struct, ILayout
    {
        int width = 2 * S.Width;
        if (cols == width)
        {
            F.Multiply<S, V, L>(rows, k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow);
            return;
        }
        float* edge = stackalloc float[GemmBlocking.TileRows(S.Width) * width];
        if (from != null)
        {
            Copy(rows, cols, from, fromRow, edge, width);
        }
        F.Multiply<S, V, L>(rows, k, a, aRow, aCol, b, bRow, from != null ? edge : null, width, edge, width);
        Copy(rows, cols, edge, width, to, toRow);
    }

    private static void Copy(long rows, long cols, float* from, long fromRow, float* to, long toRow)
    {
        for (long r = 0; r < rows; r++)
        {
            for (long c = 0; c < cols; c++)
            {
                to[r * toRow + c] = from[r * fromRow + c];
            }
        }
    }
}
