using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu;

/// <summary>What becomes of two values of k, each rounded to the upper half of its 32 bits.</summary>
internal unsafe interface IPairFormat
{
    /// <summary>Lines that a pair of lines becomes.</summary>
    static abstract int Lines { get; }

    /// <summary>Stores 16 pairs; a second line begins <paramref name="line"/> elements further.</summary>
    static abstract void Store(Vector512<uint> even, Vector512<uint> odd, float* to, long line);

    /// <summary>Stores one pair.</summary>
    static abstract void Store(uint even, uint odd, float* to, long line);
}

/// <summary>
/// Packs operands for bfloat16: rounded, two values of k together. Lines across k are paired straight from the operand; lines along k are rounded in the first
/// cache and transposed from there, in 32 bits that hold a pair; other layouts go through a float32 copy in the first cache.
/// </summary>
internal static unsafe class PairPacking<P> where P : struct, IPairFormat
{
    private const int Piece = 64;            // values of k
    private const int MaxLines = 128;        // rows or columns that are packed at once: GemmBlocked's own tiles or panels

    /// <summary>Tiles of A, see <see cref="Packing.Rows"/>; an odd k is filled up with zero.</summary>
    public static void Rows<S, V>(float* a, long aRow, long aCol, long rows, long k, float* to) where S : struct, ISimd<V> where V : struct =>
        Pack<S, V, Tiles>(a, aRow, aCol, rows, k, GemmBlocking.TileRows(S.Width), to);

    /// <summary>Panels of B, see <see cref="Packing.Panels"/>; an odd k is filled up with zero.</summary>
    public static void Panels<S, V>(float* b, long bRow, long bCol, long cols, long k, float* to) where S : struct, ISimd<V> where V : struct =>
        Pack<S, V, ColumnPanels>(b, bCol, bRow, cols, k, GemmBlocking.TileColumns(S.Width), to);

    // count lines across k, kStride apart along it; width of them make a tile or a panel.
    private static void Pack<S, V, G>(float* from, long stride, long kStride, long count, long k, int width, float* to)
        where S : struct, ISimd<V> where V : struct where G : struct, IGroups
    {
        long room = P.Lines * ((k + 1) / 2) * width, whole = count / width * width;
        if (stride == 1 && P.Lines == 1)
        {
            Across(from, kStride, whole, k, width, room, to);
        }
        else if (kStride == 1 && P.Lines == 1)
        {
            Along<S, V, G>(from, stride, whole, k, width, room, to);
        }
        else
        {
            whole = 0;
        }
        if (whole < count)
        {
            ByPieces<S, V, G>(from + whole * stride, stride, kStride, count - whole, k, width, room, to + whole / width * room);
        }
    }

    private static void Across(float* from, long kStride, long count, long k, int width, long room, float* to)
    {
        for (long i = 0; i < k; i += 2)
        {
            float* even = from + i * kStride, odd = i + 1 < k ? even + kStride : null, line = to + i / 2 * width;
            Prefetch(even, kStride, i, k, count);
            bool last = i + 2 >= k || odd == null;
            for (long n = 0; n < count; n += width, line += room)
            {
                // A whole vector may reach into the next line, which is written afterwards; behind the last line lies another tile.
                int column = 0;
                for (; odd != null && column < width && (column + 16 <= width || (!last && n + column + 16 <= count)); column += 16)
                {
                    P.Store(Round(Vector512.Load(even + n + column)), Round(Vector512.Load(odd + n + column)), line + column, width);
                }
                for (; column < width; column++)
                {
                    P.Store(Round(even[n + column]), odd == null ? 0 : Round(odd[n + column]), line + column, width);
                }
            }
        }
    }

    // The lines of the operand lie on pages of their own, where no prefetcher goes by itself.
    private static void Prefetch(float* line, long kStride, long i, long k, long count)
    {
        const int Ahead = 8, Line = 16;
        if (Sse.IsSupported && i + Ahead + 1 < k)
        {
            for (long n = 0; n < count; n += Line)
            {
                Sse.Prefetch0(line + Ahead * kStride + n);
                Sse.Prefetch0(line + (Ahead + 1) * kStride + n);
            }
        }
    }

    [SkipLocalsInit]
    private static void Along<S, V, G>(float* from, long stride, long count, long k, int width, long room, float* to)
        where S : struct, ISimd<V> where V : struct where G : struct, IGroups
    {
        uint* piece = stackalloc uint[Piece / 2 * 64];   // a tile's or a panel's lines
        for (long n = 0; n < count; n += width, to += room)
        {
            for (long k0 = 0; k0 < k; k0 += Piece)
            {
                long part = Math.Min(Piece, k - k0), pairs = (part + 1) / 2;
                // Short pieces of many lines are more than the processor foresees.
                float* next = k0 + Piece < k ? from + n * stride + k0 + Piece : n + width < count ? from + (n + width) * stride : from;
                for (int line = 0; line < width; line++)
                {
                    Prefetch(next + line * stride);
                    RoundLine(from + (n + line) * stride + k0, part, (ushort*)(piece + line * pairs));
                }
                G.Pack<S, V>((float*)piece, pairs, 1, width, pairs, to + k0 / 2 * width);
            }
        }
    }

    private static void Prefetch(float* piece)
    {
        if (Sse.IsSupported)
        {
            for (int i = 0; i < Piece; i += 16)
            {
                Sse.Prefetch0(piece + i);
            }
        }
    }

    private static void RoundLine(float* from, long k, ushort* to)
    {
        long i = 0;
        for (; i + 16 <= k; i += 16)
        {
            Vector512<uint> high = Round(Vector512.Load(from + i)) >> 16;
            (Avx512F.IsSupported ? Avx512F.ConvertToVector256UInt16(high) : Vector256.Narrow(high.GetLower(), high.GetUpper())).Store(to + i);
        }
        for (; i < k; i++)
        {
            to[i] = (ushort)(Round(from[i]) >> 16);
        }
        if (k % 2 != 0)
        {
            to[k] = 0;
        }
    }

    [SkipLocalsInit]
    private static void ByPieces<S, V, G>(float* from, long stride, long kStride, long count, long k, int width, long room, float* to)
        where S : struct, ISimd<V> where V : struct where G : struct, IGroups
    {
        float* piece = stackalloc float[Piece * MaxLines + 16];
        for (long first = 0, many; first < count; first += many)
        {
            many = Math.Min(MaxLines / width * width, count - first);
            for (long k0 = 0; k0 < k; k0 += Piece)
            {
                long part = Math.Min(Piece, k - k0);
                G.Pack<S, V>(from + first * stride + k0 * kStride, stride, kStride, many, part, piece);
                for (long n = 0; n < many; n += width)
                {
                    Pair(piece + n * part, width, part, to + (first + n) / width * room + P.Lines * (k0 / 2) * width);
                }
            }
        }
    }

    // k lines of width floats become pairs of lines.
    private static void Pair(float* from, int width, long k, float* to)
    {
        for (long i = 0; i < k; i += 2, from += 2 * width, to += P.Lines * width)
        {
            bool odd = i + 1 < k;
            int column = 0;
            for (; odd && column + 16 <= width; column += 16)
            {
                P.Store(Round(Vector512.Load(from + column)), Round(Vector512.Load(from + width + column)), to + column, width);
            }
            for (; column < width; column++)
            {
                P.Store(Round(from[column]), odd ? Round(from[width + column]) : 0, to + column, width);
            }
        }
    }

    // To nearest, ties to even; NaN stays NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Round(Vector512<float> x)
    {
        Vector512<uint> bits = x.AsUInt32();
        Vector512<uint> rounded = bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One);
        return Vector512.ConditionalSelect(Vector512.Equals(x, x).AsUInt32(), rounded, bits | Vector512.Create(0x400000u)) & Vector512.Create(0xFFFF0000u);
    }

    private static uint Round(float x) => (uint)((BFloat16)x).Bits << 16;

    // How float32 lines become a tile or a panel.
    private interface IGroups
    {
        static abstract void Pack<S, V>(float* from, long stride, long kStride, long count, long k, float* to) where S : struct, ISimd<V> where V : struct;
    }

    private readonly struct Tiles : IGroups
    {
        public static void Pack<S, V>(float* from, long stride, long kStride, long count, long k, float* to) where S : struct, ISimd<V> where V : struct =>
            Packing.Rows<S, V>(from, stride, kStride, count, k, to);
    }

    private readonly struct ColumnPanels : IGroups
    {
        public static void Pack<S, V>(float* from, long stride, long kStride, long count, long k, float* to) where S : struct, ISimd<V> where V : struct =>
            Packing.Panels<S, V>(from, kStride, stride, count, k, to);
    }
}
