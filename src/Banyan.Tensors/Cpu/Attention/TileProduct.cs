using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// C = A B, or C += A B, on one tile in cache. Every element of C is one fma chain over the depth in increasing order, whichever
/// kernel computes it: nothing about a row depends on the other rows.
/// </summary>
/// <remarks>
/// A is read one element at a time, at free strides (so a transpose costs nothing). B lies in panels of <see cref="PanelWidth{S,V}"/>
/// columns. Rows and columns are rounded up to 6 and to a panel: A, B and C must own that memory, whatever it holds.
/// </remarks>
internal static unsafe class TileProduct
{
    /// <summary>Rows of C that one kernel keeps in registers: 6 x 2 accumulators, 2 of B and 1 of A fill the 16 registers of AVX2.</summary>
    public const int PanelRows = 6;

    /// <summary>Columns of C that one kernel keeps in registers.</summary>
    public static int PanelWidth<S, V>() where S : struct, ISimd<V> where V : struct => 2 * S.Width;

    /// <summary>The left factor: element (row, k) lies at <c>Data[row * Row + k * Depth]</c>.</summary>
    public readonly struct Left(float* data, nint row, nint depth)
    {
        public readonly float* Data = data;
        public readonly nint Row = row, Depth = depth;
    }

    /// <summary>The right factor: element (k, column c of panel p) lies at <c>Data[p * Panel + k * Depth + c]</c>.</summary>
    public readonly struct Right(float* data, nint panel, nint depth)
    {
        public readonly float* Data = data;
        public readonly nint Panel = panel, Depth = depth;
    }

    /// <summary>Computes rows x columns of C, whose rows lie <paramref name="cRow"/> elements apart.</summary>
    public static void Multiply<S, V>(int rows, int columns, int depth, Left a, Right b, float* c, nint cRow, bool accumulate)
        where S : struct, ISimd<V> where V : struct
    {
        int width = PanelWidth<S, V>();
        int panels = (columns + width - 1) / width;
        if (rows <= 2)
        {
            FewRows<S, V>(rows, panels, depth, a, b, c, cRow, accumulate);
            return;
        }
        for (int p = 0; p < panels; p++)
        {
            float* bp = b.Data + p * b.Panel, cp = c + p * width;
            for (int r = 0; r < rows; r += PanelRows)
            {
                SixRows<S, V>(depth, a.Data + r * a.Row, a.Row, a.Depth, bp, b.Depth, cp + r * cRow, cRow, accumulate);
            }
        }
    }

    private static void FewRows<S, V>(int rows, int panels, int depth, Left a, Right b, float* c, nint cRow, bool accumulate)
        where S : struct, ISimd<V> where V : struct
    {
        int width = PanelWidth<S, V>();
        for (int p = 0; p < panels; p += 2)
        {
            // An odd last panel is computed twice, into the same place.
            int q = Math.Min(p + 1, panels - 1);
            for (int r = 0; r < rows; r++)
            {
                float* cr = c + r * cRow;
                OneRow<S, V>(depth, a.Data + r * a.Row, a.Depth, b.Data + p * b.Panel, b.Data + q * b.Panel, b.Depth,
                    cr + p * width, cr + q * width, accumulate);
            }
        }
    }

    private static void OneRow<S, V>(nint depth, float* a, nint aDepth, float* b, float* d, nint bDepth, float* c, float* e, bool accumulate)
        where S : struct, ISimd<V> where V : struct
    {
        int w = S.Width;
        V c0 = S.Zero, c1 = S.Zero, c2 = S.Zero, c3 = S.Zero;
        if (accumulate)
        {
            c0 = S.Load(c); c1 = S.Load(c + w); c2 = S.Load(e); c3 = S.Load(e + w);
        }
        for (; depth > 0; depth--)
        {
            V x = S.Splat(*a);
            c0 = S.Fma(x, S.Load(b), c0);
            c1 = S.Fma(x, S.Load(b + w), c1);
            c2 = S.Fma(x, S.Load(d), c2);
            c3 = S.Fma(x, S.Load(d + w), c3);
            a += aDepth; b += bDepth; d += bDepth;
        }
        S.Store(c, c0); S.Store(c + w, c1); S.Store(e, c2); S.Store(e + w, c3);
    }

    private static void SixRows<S, V>(nint depth, float* a, nint aRow, nint aDepth, float* b, nint bDepth, float* c, nint cRow, bool accumulate)
        where S : struct, ISimd<V> where V : struct
    {
        int w = S.Width;
        float* a1 = a + aRow, a2 = a1 + aRow, a3 = a2 + aRow, a4 = a3 + aRow, a5 = a4 + aRow;
        float* r1 = c + cRow, r2 = r1 + cRow, r3 = r2 + cRow, r4 = r3 + cRow, r5 = r4 + cRow;
        V c00 = S.Zero, c01 = S.Zero, c10 = S.Zero, c11 = S.Zero, c20 = S.Zero, c21 = S.Zero;
        V c30 = S.Zero, c31 = S.Zero, c40 = S.Zero, c41 = S.Zero, c50 = S.Zero, c51 = S.Zero;
        if (accumulate)
        {
            c00 = S.Load(c); c01 = S.Load(c + w); c10 = S.Load(r1); c11 = S.Load(r1 + w); c20 = S.Load(r2); c21 = S.Load(r2 + w);
            c30 = S.Load(r3); c31 = S.Load(r3 + w); c40 = S.Load(r4); c41 = S.Load(r4 + w); c50 = S.Load(r5); c51 = S.Load(r5 + w);
        }
        nint k = 0;
        for (; depth > 0; depth--)
        {
            V b0 = S.Load(b), b1 = S.Load(b + w);
            V x = S.Splat(a[k]);
            c00 = S.Fma(x, b0, c00); c01 = S.Fma(x, b1, c01);
            x = S.Splat(a1[k]);
            c10 = S.Fma(x, b0, c10); c11 = S.Fma(x, b1, c11);
            x = S.Splat(a2[k]);
            c20 = S.Fma(x, b0, c20); c21 = S.Fma(x, b1, c21);
            x = S.Splat(a3[k]);
            c30 = S.Fma(x, b0, c30); c31 = S.Fma(x, b1, c31);
            x = S.Splat(a4[k]);
            c40 = S.Fma(x, b0, c40); c41 = S.Fma(x, b1, c41);
            x = S.Splat(a5[k]);
            c50 = S.Fma(x, b0, c50); c51 = S.Fma(x, b1, c51);
            k += aDepth;
            b += bDepth;
        }
        S.Store(c, c00); S.Store(c + w, c01); S.Store(r1, c10); S.Store(r1 + w, c11); S.Store(r2, c20); S.Store(r2 + w, c21);
        S.Store(r3, c30); S.Store(r3 + w, c31); S.Store(r4, c40); S.Store(r4 + w, c41); S.Store(r5, c50); S.Store(r5 + w, c51);
    }
}
