using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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

/// <summary>Packs operands for bfloat16: a piece at a time as float32, in the first cache, and from there rounded and paired.</summary>
internal static unsafe class PairPacking<P> where P : struct, IPairFormat
{
    private const int Piece = 64;            // values of k
    private const int MaxLines = 128;        // rows or columns that are packed at once: GemmBlocked's own tiles or panels

    /// <summary>Tiles of A, see <see cref="Packing.Rows"/>; an odd k is filled up with zero.</summary>
    [SkipLocalsInit]
    public static void Rows<S, V>(float* a, long aRow, long aCol, long rows, long k, float* to) where S : struct, ISimd<V> where V : struct
    {
        int width = GemmBlocking.TileRows(S.Width);
        long room = P.Lines * ((k + 1) / 2) * width;
        float* piece = stackalloc float[Piece * MaxLines + 16];
        for (long first = 0, many; first < rows; first += many)
        {
            many = Math.Min(MaxLines / width * width, rows - first);
            for (long k0 = 0; k0 < k; k0 += Piece)
            {
                long part = Math.Min(Piece, k - k0);
                Packing.Rows<S, V>(a + first * aRow + k0 * aCol, aRow, aCol, many, part, piece);
                for (long tile = 0; tile < many; tile += width)
                {
                    Convert(piece + tile * part, width, part, to + (first + tile) / width * room + P.Lines * (k0 / 2) * width);
                }
            }
        }
    }

    /// <summary>Panels of B, see <see cref="Packing.Panels"/>; an odd k is filled up with zero.</summary>
    [SkipLocalsInit]
    public static void Panels<S, V>(float* b, long bRow, long bCol, long cols, long k, float* to) where S : struct, ISimd<V> where V : struct
    {
        int width = GemmBlocking.TileColumns(S.Width);
        long room = P.Lines * ((k + 1) / 2) * width;
        float* piece = stackalloc float[Piece * MaxLines + 16];
        for (long first = 0, many; first < cols; first += many)
        {
            many = Math.Min(MaxLines / width * width, cols - first);
            for (long k0 = 0; k0 < k; k0 += Piece)
            {
                long part = Math.Min(Piece, k - k0);
                Packing.Panels<S, V>(b + first * bCol + k0 * bRow, bRow, bCol, many, part, piece);
                for (long panel = 0; panel < many; panel += width)
                {
                    Convert(piece + panel * part, width, part, to + (first + panel) / width * room + P.Lines * (k0 / 2) * width);
                }
            }
        }
    }

    // k lines of width floats become pairs of lines.
    private static void Convert(float* from, int width, long k, float* to)
    {
        for (long i = 0; i < k; i += 2, from += 2 * width, to += P.Lines * width)
        {
            bool odd = i + 1 < k, last = i + 2 >= k;
            int column = 0;
            // A whole vector may reach into the next line, which is written afterwards; the last line has none.
            for (; column < width && odd && (column + 16 <= width || !last && P.Lines == 1); column += 16)
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
}
