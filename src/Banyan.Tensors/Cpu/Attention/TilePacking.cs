using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu;

/// <summary>Copies strided rows into a tile in the layout that <see cref="TileProduct"/> reads: as rows, or transposed into panels.</summary>
internal static unsafe class TilePacking
{
    /// <summary>One row times <paramref name="scale"/>, then zeros up to <paramref name="padded"/> elements.</summary>
    public static void CopyRow<S, V>(float* source, int count, float scale, float* target, int padded) where S : struct, ISimd<V> where V : struct
    {
        int i = 0;
        for (V s = S.Splat(scale); i + S.Width <= count; i += S.Width)
        {
            S.Store(target + i, S.Mul(S.Load(source + i), s));
        }
        for (; i < count; i++)
        {
            target[i] = source[i] * scale;
        }
        for (; i < padded; i++)
        {
            target[i] = 0;
        }
    }

    /// <summary>Rows at <paramref name="stride"/> into rows at <paramref name="targetStride"/>, scaled and padded with zeros.</summary>
    public static void CopyRows<S, V>(float* source, nint stride, int rows, int count, float scale, float* target, int targetStride, int padded)
        where S : struct, ISimd<V> where V : struct
    {
        for (int r = 0; r < rows; r++)
        {
            CopyRow<S, V>(source + r * stride, count, scale, target + (nint)r * targetStride, padded);
        }
    }

    /// <summary>
    /// Transposes rows x depth into panels of <paramref name="width"/> rows each, stored depth by depth; missing rows of the last panel are 0.
    /// </summary>
    public static void Transpose(float* source, nint stride, int rows, int depth, float* target, int width)
    {
        for (int r = 0; r < rows; r += width, target += (nint)width * depth)
        {
            int count = Math.Min(width, rows - r), quads = Sse.IsSupported ? count & ~3 : 0;
            for (int i = 0; i < quads; i += 4)
            {
                FourRows(source + (r + i) * stride, stride, depth, target + i, width);
            }
            for (int i = quads; i < width; i++)
            {
                OneRow(i < count ? source + (r + i) * stride : null, depth, target + i, width);
            }
        }
    }

    private static void OneRow(float* source, int depth, float* target, int width)
    {
        for (int d = 0; d < depth; d++)
        {
            target[(nint)d * width] = source == null ? 0 : source[d];
        }
    }

    // 4 x 4 blocks in 128-bit registers: moves only, so every processor gives the same bits.
    private static void FourRows(float* source, nint stride, int depth, float* target, nint width)
    {
        float* s1 = source + stride, s2 = s1 + stride, s3 = s2 + stride;
        int d = 0;
        for (; d + 4 <= depth; d += 4, target += 4 * width)
        {
            Vector128<float> a = Vector128.Load(source + d), b = Vector128.Load(s1 + d), c = Vector128.Load(s2 + d), e = Vector128.Load(s3 + d);
            Vector128<float> ab = Sse.UnpackLow(a, b), ce = Sse.UnpackLow(c, e), ab2 = Sse.UnpackHigh(a, b), ce2 = Sse.UnpackHigh(c, e);
            Sse.MoveLowToHigh(ab, ce).Store(target);
            Sse.MoveHighToLow(ce, ab).Store(target + width);
            Sse.MoveLowToHigh(ab2, ce2).Store(target + 2 * width);
            Sse.MoveHighToLow(ce2, ab2).Store(target + 3 * width);
        }
        for (; d < depth; d++, target += width)
        {
            target[0] = source[d];
            target[1] = s1[d];
            target[2] = s2[d];
            target[3] = s3[d];
        }
    }
}
