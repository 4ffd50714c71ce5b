using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// The inner loop of the matrix product: a tile of <c>R.Count</c> rows by two vectors of C kept in registers, one fused multiply-add
/// per element and k, in increasing k. The row count is a type, so the compiler drops the rows that a tile does not have.
/// </summary>
/// <remarks>
/// Unrolled by hand: accumulators in an array or in stack memory would not stay in registers (four times slower).
/// Register budget: 14 x 2 vectors of 512 bits (32 registers), 6 x 2 vectors of 256 or 128 bits (16 registers).
/// </remarks>
internal static unsafe class MicroKernel
{
    /// <summary>to[r, 0..2W) = from[r, 0..2W) (0 where <paramref name="from"/> is null) + sum over k of a[r, k] b[k, 0..2W).</summary>
    /// <param name="k">Length of the sum.</param>
    /// <param name="a">First element; row r, column k at <c>a[r * aRow + k * aCol]</c>; <c>L.Interleaved</c> means aRow = 1.</param>
    /// <param name="aRow">Elements between rows of a.</param>
    /// <param name="aCol">Elements between columns of a.</param>
    /// <param name="b">2 W adjacent elements for each k.</param>
    /// <param name="bRow">Elements from one k to the next in b.</param>
    /// <param name="from">Where the chains start, or null for zero.</param>
    /// <param name="fromRow">Elements between rows of from.</param>
    /// <param name="to">The result; may be <paramref name="from"/>.</param>
    /// <param name="toRow">Elements between rows of to.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<S, V, R, L>(
        long k, float* a, long aRow, long aCol, float* b, long bRow, float* from, long fromRow, float* to, long toRow)
        where S : struct, ISimd<V> where V : struct where R : struct, IRowCount where L : struct, ILayout
    {
        int w = S.Width;
        V x;
        V c00 = S.Zero, c01 = S.Zero;
        V c10 = S.Zero, c11 = S.Zero;
        V c20 = S.Zero, c21 = S.Zero;
        V c30 = S.Zero, c31 = S.Zero;
        V c40 = S.Zero, c41 = S.Zero;
        V c50 = S.Zero, c51 = S.Zero;
        V c60 = S.Zero, c61 = S.Zero;
        V c70 = S.Zero, c71 = S.Zero;
        V c80 = S.Zero, c81 = S.Zero;
        V c90 = S.Zero, c91 = S.Zero;
        V c100 = S.Zero, c101 = S.Zero;
        V c110 = S.Zero, c111 = S.Zero;
        V c120 = S.Zero, c121 = S.Zero;
        V c130 = S.Zero, c131 = S.Zero;
        if (from != null)
        {
            c00 = S.Load(from); c01 = S.Load(from + w);
            if (R.Count > 1) { c10 = S.Load(from + 1 * fromRow); c11 = S.Load(from + 1 * fromRow + w); }
            if (R.Count > 2) { c20 = S.Load(from + 2 * fromRow); c21 = S.Load(from + 2 * fromRow + w); }
            if (R.Count > 3) { c30 = S.Load(from + 3 * fromRow); c31 = S.Load(from + 3 * fromRow + w); }
            if (R.Count > 4) { c40 = S.Load(from + 4 * fromRow); c41 = S.Load(from + 4 * fromRow + w); }
            if (R.Count > 5) { c50 = S.Load(from + 5 * fromRow); c51 = S.Load(from + 5 * fromRow + w); }
            if (R.Count > 6) { c60 = S.Load(from + 6 * fromRow); c61 = S.Load(from + 6 * fromRow + w); }
            if (R.Count > 7) { c70 = S.Load(from + 7 * fromRow); c71 = S.Load(from + 7 * fromRow + w); }
            if (R.Count > 8) { c80 = S.Load(from + 8 * fromRow); c81 = S.Load(from + 8 * fromRow + w); }
            if (R.Count > 9) { c90 = S.Load(from + 9 * fromRow); c91 = S.Load(from + 9 * fromRow + w); }
            if (R.Count > 10) { c100 = S.Load(from + 10 * fromRow); c101 = S.Load(from + 10 * fromRow + w); }
            if (R.Count > 11) { c110 = S.Load(from + 11 * fromRow); c111 = S.Load(from + 11 * fromRow + w); }
            if (R.Count > 12) { c120 = S.Load(from + 12 * fromRow); c121 = S.Load(from + 12 * fromRow + w); }
            if (R.Count > 13) { c130 = S.Load(from + 13 * fromRow); c131 = S.Load(from + 13 * fromRow + w); }
        }
        if (L.Interleaved)
        {
            for (; k > 0; k--)
            {
                V b0 = S.Load(b), b1 = S.Load(b + w);
                x = S.Splat(a[0]); c00 = S.Fma(x, b0, c00); c01 = S.Fma(x, b1, c01);
                if (R.Count > 1) { x = S.Splat(a[1]); c10 = S.Fma(x, b0, c10); c11 = S.Fma(x, b1, c11); }
                if (R.Count > 2) { x = S.Splat(a[2]); c20 = S.Fma(x, b0, c20); c21 = S.Fma(x, b1, c21); }
                if (R.Count > 3) { x = S.Splat(a[3]); c30 = S.Fma(x, b0, c30); c31 = S.Fma(x, b1, c31); }
                if (R.Count > 4) { x = S.Splat(a[4]); c40 = S.Fma(x, b0, c40); c41 = S.Fma(x, b1, c41); }
                if (R.Count > 5) { x = S.Splat(a[5]); c50 = S.Fma(x, b0, c50); c51 = S.Fma(x, b1, c51); }
                if (R.Count > 6) { x = S.Splat(a[6]); c60 = S.Fma(x, b0, c60); c61 = S.Fma(x, b1, c61); }
                if (R.Count > 7) { x = S.Splat(a[7]); c70 = S.Fma(x, b0, c70); c71 = S.Fma(x, b1, c71); }
                if (R.Count > 8) { x = S.Splat(a[8]); c80 = S.Fma(x, b0, c80); c81 = S.Fma(x, b1, c81); }
                if (R.Count > 9) { x = S.Splat(a[9]); c90 = S.Fma(x, b0, c90); c91 = S.Fma(x, b1, c91); }
                if (R.Count > 10) { x = S.Splat(a[10]); c100 = S.Fma(x, b0, c100); c101 = S.Fma(x, b1, c101); }
                if (R.Count > 11) { x = S.Splat(a[11]); c110 = S.Fma(x, b0, c110); c111 = S.Fma(x, b1, c111); }
                if (R.Count > 12) { x = S.Splat(a[12]); c120 = S.Fma(x, b0, c120); c121 = S.Fma(x, b1, c121); }
                if (R.Count > 13) { x = S.Splat(a[13]); c130 = S.Fma(x, b0, c130); c131 = S.Fma(x, b1, c131); }
                a += aCol;
                b += bRow;
            }
        }
        else
        {
            float* a1 = a + 1 * aRow;
            float* a2 = a + 2 * aRow;
            float* a3 = a + 3 * aRow;
            float* a4 = a + 4 * aRow;
            float* a5 = a + 5 * aRow;
            float* a6 = a + 6 * aRow;
            float* a7 = a + 7 * aRow;
            float* a8 = a + 8 * aRow;
            float* a9 = a + 9 * aRow;
            float* a10 = a + 10 * aRow;
            float* a11 = a + 11 * aRow;
            float* a12 = a + 12 * aRow;
            float* a13 = a + 13 * aRow;
            for (long i = 0; k > 0; k--)
            {
                V b0 = S.Load(b), b1 = S.Load(b + w);
                x = S.Splat(a[i]); c00 = S.Fma(x, b0, c00); c01 = S.Fma(x, b1, c01);
                if (R.Count > 1) { x = S.Splat(a1[i]); c10 = S.Fma(x, b0, c10); c11 = S.Fma(x, b1, c11); }
                if (R.Count > 2) { x = S.Splat(a2[i]); c20 = S.Fma(x, b0, c20); c21 = S.Fma(x, b1, c21); }
                if (R.Count > 3) { x = S.Splat(a3[i]); c30 = S.Fma(x, b0, c30); c31 = S.Fma(x, b1, c31); }
                if (R.Count > 4) { x = S.Splat(a4[i]); c40 = S.Fma(x, b0, c40); c41 = S.Fma(x, b1, c41); }
                if (R.Count > 5) { x = S.Splat(a5[i]); c50 = S.Fma(x, b0, c50); c51 = S.Fma(x, b1, c51); }
                if (R.Count > 6) { x = S.Splat(a6[i]); c60 = S.Fma(x, b0, c60); c61 = S.Fma(x, b1, c61); }
                if (R.Count > 7) { x = S.Splat(a7[i]); c70 = S.Fma(x, b0, c70); c71 = S.Fma(x, b1, c71); }
                if (R.Count > 8) { x = S.Splat(a8[i]); c80 = S.Fma(x, b0, c80); c81 = S.Fma(x, b1, c81); }
                if (R.Count > 9) { x = S.Splat(a9[i]); c90 = S.Fma(x, b0, c90); c91 = S.Fma(x, b1, c91); }
                if (R.Count > 10) { x = S.Splat(a10[i]); c100 = S.Fma(x, b0, c100); c101 = S.Fma(x, b1, c101); }
                if (R.Count > 11) { x = S.Splat(a11[i]); c110 = S.Fma(x, b0, c110); c111 = S.Fma(x, b1, c111); }
                if (R.Count > 12) { x = S.Splat(a12[i]); c120 = S.Fma(x, b0, c120); c121 = S.Fma(x, b1, c121); }
                if (R.Count > 13) { x = S.Splat(a13[i]); c130 = S.Fma(x, b0, c130); c131 = S.Fma(x, b1, c131); }
                i += aCol;
                b += bRow;
            }
        }
        S.Store(to, c00); S.Store(to + w, c01);
        if (R.Count > 1) { S.Store(to + 1 * toRow, c10); S.Store(to + 1 * toRow + w, c11); }
        if (R.Count > 2) { S.Store(to + 2 * toRow, c20); S.Store(to + 2 * toRow + w, c21); }
        if (R.Count > 3) { S.Store(to + 3 * toRow, c30); S.Store(to + 3 * toRow + w, c31); }
        if (R.Count > 4) { S.Store(to + 4 * toRow, c40); S.Store(to + 4 * toRow + w, c41); }
        if (R.Count > 5) { S.Store(to + 5 * toRow, c50); S.Store(to + 5 * toRow + w, c51); }
        if (R.Count > 6) { S.Store(to + 6 * toRow, c60); S.Store(to + 6 * toRow + w, c61); }
        if (R.Count > 7) { S.Store(to + 7 * toRow, c70); S.Store(to + 7 * toRow + w, c71); }
        if (R.Count > 8) { S.Store(to + 8 * toRow, c80); S.Store(to + 8 * toRow + w, c81); }
        if (R.Count > 9) { S.Store(to + 9 * toRow, c90); S.Store(to + 9 * toRow + w, c91); }
        if (R.Count > 10) { S.Store(to + 10 * toRow, c100); S.Store(to + 10 * toRow + w, c101); }
        if (R.Count > 11) { S.Store(to + 11 * toRow, c110); S.Store(to + 11 * toRow + w, c111); }
        if (R.Count > 12) { S.Store(to + 12 * toRow, c120); S.Store(to + 12 * toRow + w, c121); }
        if (R.Count > 13) { S.Store(to + 13 * toRow, c130); S.Store(to + 13 * toRow + w, c131); }
    }
}
