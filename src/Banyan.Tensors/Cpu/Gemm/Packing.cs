using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu;

/// <summary>
/// Copies a panel of an operand into the order in which the micro-kernel reads it. Reads nothing outside the panel: operands may end
/// where a mapped file ends.
/// </summary>
internal static unsafe class Packing
{
    /// <summary>
    /// Tiles of A, each interleaved: <c>to[tile * k * tileRows + i * tileRows + r] = a[(tile * tileRows + r) * aRow + i * aCol]</c>. Places of
    /// missing rows stay undefined.
    /// </summary>
    public static void Rows<S, V>(float* a, long aRow, long aCol, long rows, long k, float* to) where S : struct, ISimd<V> where V : struct
    {
        int tileRows = GemmBlocking.TileRows(S.Width);
        long whole = aRow == 1 ? rows / tileRows : 0;
        // Whole vectors are copied where the operand goes on behind the tile and the place behind is written afterwards.
        long wide = S.Width > tileRows ? Math.Min(whole, (rows - S.Width + tileRows) / tileRows) : 0;
        for (long i = 0; i < k && whole > 0; i++)
        {
            // Rows lie side by side: one pass over a line of the operand fills all tiles.
            PrefetchLine(a, aCol, i, k, whole * tileRows);
            long wideHere = i + 1 < k ? wide : 0;
            for (long tile = 0; tile < wideHere; tile++)
            {
                S.Store(to + (tile * k + i) * tileRows, S.Load(a + i * aCol + tile * tileRows));
            }
            for (long tile = wideHere; tile < whole; tile++)
            {
                CopyLine(a + i * aCol + tile * tileRows, to + (tile * k + i) * tileRows, tileRows);
            }
        }
        for (long r = whole * tileRows; r < rows; r += tileRows)
        {
            long done = aCol == 1 && rows - r >= S.Width && S.Width > tileRows ? WideTile<S, V>(a + r * aRow, aRow, k, to + r * k, tileRows) : 0;
            OneTile(a + r * aRow + done * aCol, aRow, aCol, Math.Min(tileRows, rows - r), k - done, to + r * k + done * tileRows, tileRows);
        }
    }

    // Whole vectors of rows, the first of which make the tile: what the others write lies where the next column is written afterwards. So the last
    // columns are left to the narrow way: behind them is what another thread may have packed. Returns the columns that are done.
    private static long WideTile<S, V>(float* a, long aRow, long k, float* to, int step) where S : struct, ISimd<V> where V : struct
    {
        long i = 0;
        for (; i + 4 < k; i += 4)
        {
            PrefetchNext<S, V>(a, aRow, i);
            Four<V> x = Columns.Load4<V>(a + i, aRow);
            S.Store(to + i * step, x.V0);
            S.Store(to + (i + 1) * step, x.V1);
            S.Store(to + (i + 2) * step, x.V2);
            S.Store(to + (i + 3) * step, x.V3);
        }
        return i;
    }

    private static void OneTile(float* a, long aRow, long aCol, long rows, long k, float* to, long step)
    {
        long r = 0;
        for (; r + 4 <= rows && aCol == 1; r += 4)
        {
            FourRows(a + r * aRow, aRow, k, to + r, step);
        }
        for (; r + 2 <= rows && aCol == 1; r += 2)
        {
            TwoRows(a + r * aRow, aRow, k, to + r, step);
        }
        Strided(a + r * aRow, aRow, aCol, rows - r, k, to + r, step);
    }

    /// <summary>
    /// Panels of B: <c>to[panel * k * 2W + i * 2W + n] = b[i * bRow + (panel * 2W + n) * bCol]</c>, zero for the columns that are missing.
    /// </summary>
    public static void Panels<S, V>(float* b, long bRow, long bCol, long cols, long k, float* to) where S : struct, ISimd<V> where V : struct
    {
        int width = 2 * S.Width;
        long whole = bCol == 1 ? cols / width : 0;
        for (long i = 0; i < k && whole > 0; i++)
        {
            PrefetchLine(b, bRow, i, k, whole * width);
            for (long panel = 0; panel < whole; panel++)
            {
                float* from = b + i * bRow + panel * width, line = to + (panel * k + i) * width;
                S.Store(line, S.Load(from));
                S.Store(line + S.Width, S.Load(from + S.Width));
            }
        }
        for (long n = whole * width; n < cols; n += width)
        {
            OnePanel<S, V>(b + n * bCol, bRow, bCol, Math.Min(width, cols - n), k, to + n * k);
        }
    }

    private static void OnePanel<S, V>(float* b, long bRow, long bCol, long cols, long k, float* to) where S : struct, ISimd<V> where V : struct
    {
        int width = 2 * S.Width;
        if (cols < width)
        {
            new Span<float>(to, checked((int)(k * width))).Clear();
            Strided(b, bCol, bRow, cols, k, to, width);
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
            PrefetchNext<S, V>(b, bCol, i);
            Four<V> x = Columns.Load4<V>(b + i, bCol);
            S.Store(to + i * step, x.V0);
            S.Store(to + (i + 1) * step, x.V1);
            S.Store(to + (i + 2) * step, x.V2);
            S.Store(to + (i + 3) * step, x.V3);
        }
        Strided(b + i, bCol, 1, S.Width, k - i, to + i * step, step);
    }

    // W short streams are more than the processor foresees: each line is called for W rows ahead, a part of them in each step of 4.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchNext<S, V>(float* b, long bCol, long i) where S : struct, ISimd<V> where V : struct
    {
        if (Sse.IsSupported)
        {
            int each = S.Width / 4;
            float* line = b + i + (S.Width + (i & 12) / 4 * each) * bCol;
            for (int row = 0; row < each; row++)
            {
                Sse.Prefetch0(line + row * bCol);
            }
        }
    }

    // Lines of a large operand lie on pages of their own, where no prefetcher goes by itself.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchLine(float* from, long stride, long i, long k, long count)
    {
        const int Ahead = 8, Line = 16;
        if (Sse.IsSupported && i + Ahead < k)
        {
            float* line = from + (i + Ahead) * stride;
            for (long n = 0; n < count; n += Line)
            {
                Sse.Prefetch0(line + n);
            }
        }
    }

    private static void FourRows(float* a, long aRow, long k, float* to, long step)
    {
        long i = 0;
        for (; i + 4 <= k; i += 4)
        {
            Four<Vector128<float>> x = Columns.Load128(a + i, aRow);
            x.V0.Store(to + i * step);
            x.V1.Store(to + (i + 1) * step);
            x.V2.Store(to + (i + 2) * step);
            x.V3.Store(to + (i + 3) * step);
        }
        Strided(a + i, aRow, 1, 4, k - i, to + i * step, step);
    }

    private static void TwoRows(float* a, long aRow, long k, float* to, long step)
    {
        long i = 0;
        for (; i + 4 <= k; i += 4)
        {
            Vector128<float> r0 = Vector128.Load(a + i), r1 = Vector128.Load(a + aRow + i);
            Vector128<float> lo = Columns.InterleaveLow(r0, r1), hi = Columns.InterleaveHigh(r0, r1);
            lo.GetLower().Store(to + i * step);
            lo.GetUpper().Store(to + (i + 1) * step);
            hi.GetLower().Store(to + (i + 2) * step);
            hi.GetUpper().Store(to + (i + 3) * step);
        }
        Strided(a + i, aRow, 1, 2, k - i, to + i * step, step);
    }

    private static void CopyLine(float* from, float* to, long count)
    {
        long i = 0;
        for (; i + 4 <= count; i += 4)
        {
            Vector128.Load(from + i).Store(to + i);
        }
        for (; i + 2 <= count; i += 2)
        {
            Vector64.Load(from + i).Store(to + i);
        }
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
