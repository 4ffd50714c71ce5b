namespace Banyan.Cpu;

/// <summary>Picks the micro-kernel for a number of rows, and handles tiles that are narrower than two vectors.</summary>
internal static unsafe class Tile
{
    /// <summary>See <see cref="MicroKernel.Run"/>; only <paramref name="cols"/> columns are read from and written to C.</summary>
    public static void Run<S, V, L>(long rows, long cols, long k, float* a, long aRow, long aCol, float* b, long bRow,
        float* from, long fromRow, float* to, long toRow)
        where S : struct, ISimd<V> where V : struct where L : struct, ILayout
    {
        int width = 2 * S.Width;
        if (cols == width)
        {
            Whole<S, V, L>(rows, k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow);
            return;
        }
        float* edge = stackalloc float[GemmBlocking.TileRows(S.Width) * width];
        if (from != null)
        {
            Copy(rows, cols, from, fromRow, edge, width);
        }
        Whole<S, V, L>(rows, k, a, aRow, aCol, b, bRow, from != null ? edge : null, width, edge, width);
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

    private static void Whole<S, V, L>(long rows, long k, float* a, long aRow, long aCol, float* b, long bRow,
        float* from, long fromRow, float* to, long toRow)
        where S : struct, ISimd<V> where V : struct where L : struct, ILayout
    {
        switch (rows)
        {
            case 1: MicroKernel.Run<S, V, Rows1, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 2: MicroKernel.Run<S, V, Rows2, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 3: MicroKernel.Run<S, V, Rows3, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 4: MicroKernel.Run<S, V, Rows4, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 5: MicroKernel.Run<S, V, Rows5, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 6: MicroKernel.Run<S, V, Rows6, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 7: MicroKernel.Run<S, V, Rows7, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 8: MicroKernel.Run<S, V, Rows8, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 9: MicroKernel.Run<S, V, Rows9, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 10: MicroKernel.Run<S, V, Rows10, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 11: MicroKernel.Run<S, V, Rows11, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 12: MicroKernel.Run<S, V, Rows12, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 13: MicroKernel.Run<S, V, Rows13, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            default: MicroKernel.Run<S, V, Rows14, L>(k, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
        }
    }
}
