using System.Runtime.Intrinsics;

namespace Banyan.Cpu;

/// <summary>
/// Copies a panel of an operand into the order in which the micro-kernel reads it. Reads nothing outside the panel: operands may end
/// where a mapped file ends.
/// </summary>
internal static unsafe class Packing
{
    /// <summary>
    /// Rows of A, interleaved: <c>to[k * step + r] = a[r * aRow + k * aCol]</c>. Places of missing rows stay undefined.
    /// </summary>
    public static void Rows(float* a, long aRow, long aCol, long rows, long k, float* to, long step)
    {
        long r = 0;
        for (; r + 4 <= rows; r += 4)
        {
            FourRows(a + r * aRow, aRow, aCol, k, to + r, step);
        }
        for (; r + 2 <= rows; r += 2)
        {
            TwoRows(a + r * aRow, aRow, aCol, k, to + r, step);
        }
        if (r < rows)
        {
            Strided(a + r * aRow, aRow, aCol, 1, k, to + r, step);
        }
    }

    /// <summary>
    /// Columns of B: <c>to[k * 2W + n] = b[k * bRow + n * bCol]</c>, zero for the columns that are missing.
    /// </summary>
    public static void Panel<S, V>(float* b, long bRow, long bCol, long cols, long k, float* to) where S : struct, ISimd<V> where V : struct
    {
        int width = 2 * S.Width;
        if (cols < width)
        {
            new Span<float>(to, checked((int)(k * width))).Clear();
            Strided(b, bCol, bRow, cols, k, to, width);
        }
        else if (bCol == 1)
        {
            for (long i = 0; i < k; i++)
            {
                S.Store(to + i * width, S.Load(b + i * bRow));
                S.Store(to + i * width + S.Width, S.Load(b + i * bRow + S.Width));
            }
        }
        else if (bRow == 1)
        {
            Transposed<S, V>(b, bCol, k, to, width);
            Transposed<S, V>(b + S.Width * bCol, bCol, k, to + S.Width, width);
        }
        else
        {
            Strided(b, bCol, bRow, cols, k, to, width);
        }
    }

    // W rows of [N, K] weights become W columns.
    private static void Transposed<S, V>(float* b, long bCol, long k, float* to, int step) where S : struct, ISimd<V> where V : struct
    {
        long i = 0;
        for (; i + 4 <= k; i += 4)
        {
            Four<V> x = Columns.Load4<V>(b + i, bCol);
            S.Store(to + i * step, x.V0);
            S.Store(to + (i + 1) * step, x.V1);
            S.Store(to + (i + 2) * step, x.V2);
            S.Store(to + (i + 3) * step, x.V3);
        }
        Strided(b + i, bCol, 1, S.Width, k - i, to + i * step, step);
    }

    private static void FourRows(float* a, long aRow, long aCol, long k, float* to, long step)
    {
        long i = 0;
        if (aRow == 1)
        {
            for (; i < k; i++)
            {
                Vector128.Load(a + i * aCol).Store(to + i * step);
            }
        }
        else if (aCol == 1)
        {
            for (; i + 4 <= k; i += 4)
            {
                Four<Vector128<float>> x = Columns.Load128(a + i, aRow);
                x.V0.Store(to + i * step);
                x.V1.Store(to + (i + 1) * step);
                x.V2.Store(to + (i + 2) * step);
                x.V3.Store(to + (i + 3) * step);
            }
        }
        Strided(a + i * aCol, aRow, aCol, 4, k - i, to + i * step, step);
    }

    private static void TwoRows(float* a, long aRow, long aCol, long k, float* to, long step)
    {
        long i = 0;
        if (aRow == 1)
        {
            for (; i < k; i++)
            {
                Vector64.Load(a + i * aCol).Store(to + i * step);
            }
        }
        else if (aCol == 1)
        {
            for (; i + 4 <= k; i += 4)
            {
                Vector128<float> r0 = Vector128.Load(a + i), r1 = Vector128.Load(a + aRow + i);
                Vector128<float> lo = Columns.InterleaveLow(r0, r1), hi = Columns.InterleaveHigh(r0, r1);
                lo.GetLower().Store(to + i * step);
                lo.GetUpper().Store(to + (i + 1) * step);
                hi.GetLower().Store(to + (i + 2) * step);
                hi.GetUpper().Store(to + (i + 3) * step);
            }
        }
        Strided(a + i * aCol, aRow, aCol, 2, k - i, to + i * step, step);
    }

    // to[k * step + line] = from[line * lineStride + k * kStride]
    private static void Strided(float* from, long lineStride, long kStride, long lines, long k, float* to, long step)
    {
        for (long i = 0; i < k; i++)
        {
            for (long line = 0; line < lines; line++)
            {
                to[i * step + line] = from[line * lineStride + i * kStride];
            }
        }
    }
}
