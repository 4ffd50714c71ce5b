namespace Banyan.Cpu;

/// <summary>Operands as they are.</summary>
internal readonly unsafe struct Float32Operands : IOperands
{
    public static bool ArePacked => false;

    public static int Elements => 1;

    public static long Steps(long k) => k;

    public static void Rows<S, V>(float* a, long aRow, long aCol, long rows, long k, float* to) where S : struct, ISimd<V> where V : struct =>
        Packing.Rows<S, V>(a, aRow, aCol, rows, k, to);

    public static void Panels<S, V>(float* b, long bRow, long bCol, long cols, long k, float* to) where S : struct, ISimd<V> where V : struct =>
        Packing.Panels<S, V>(b, bRow, bCol, cols, k, to);

    public static void Multiply<S, V, L>(long rows, long steps, float* a, long aRow, long aCol, float* b, long bRow,
        float* from, long fromRow, float* to, long toRow)
        where S : struct, ISimd<V> where V : struct where L : struct, ILayout
    {
        switch (rows)
        {
            case 1: MicroKernel.Run<S, V, Rows1, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 2: MicroKernel.Run<S, V, Rows2, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 3: MicroKernel.Run<S, V, Rows3, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 4: MicroKernel.Run<S, V, Rows4, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 5: MicroKernel.Run<S, V, Rows5, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 6: MicroKernel.Run<S, V, Rows6, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 7: MicroKernel.Run<S, V, Rows7, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 8: MicroKernel.Run<S, V, Rows8, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 9: MicroKernel.Run<S, V, Rows9, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 10: MicroKernel.Run<S, V, Rows10, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 11: MicroKernel.Run<S, V, Rows11, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 12: MicroKernel.Run<S, V, Rows12, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            case 13: MicroKernel.Run<S, V, Rows13, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
            default: MicroKernel.Run<S, V, Rows14, L>(steps, a, aRow, aCol, b, bRow, from, fromRow, to, toRow); break;
        }
    }
}
