using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu;

/// <summary>Sums of products of unsigned codes with signed bytes, four in each of eight lanes, by what the processor has; the largest code decides how. Exact.</summary>
internal static class ByteDot
{
    /// <summary>Whether the codes are taken as signed, around 128: then there is nothing to take off for the code of weight 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool CountsFromZero(int largest) => largest > 63 && Avx2.IsSupported && !AvxVnni.IsSupported;

    /// <summary>A sum under way.</summary>
    public struct Sums
    {
        private Vector256<int> _whole;
        private Vector256<short> _halves;

        /// <summary>Adds two products. Without VNNI, two of 15 * 127 make 16 bits, and eight such still fit; of 63 * 127 two.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(int largest, Vector256<byte> w0, Vector256<sbyte> x0, Vector256<byte> w1, Vector256<sbyte> x1)
        {
            if (AvxVnni.IsSupported)
            {
                _whole = AvxVnni.MultiplyWideningAndAdd(AvxVnni.MultiplyWideningAndAdd(_whole, w0, x0), w1, x1);
            }
            else if (!Avx2.IsSupported)
            {
                _whole += Portable(w0, x0) + Portable(w1, x1);
            }
            else if (largest <= 15)
            {
                _halves = _halves + Avx2.MultiplyAddAdjacent(w0, x0) + Avx2.MultiplyAddAdjacent(w1, x1);
            }
            else if (largest <= 63)
            {
                _whole += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(w0, x0) + Avx2.MultiplyAddAdjacent(w1, x1), Vector256.Create((short)1));
            }
            else
            {
                _whole = _whole + Signed(w0, x0) + Signed(w1, x1);
            }
        }

        /// <summary>The sum.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly Vector256<int> Total(int largest) =>
            largest <= 15 && Avx2.IsSupported && !AvxVnni.IsSupported ? Avx2.MultiplyAddAdjacent(_halves, Vector256.Create((short)1)) : _whole;
    }

    // 255 * 127 twice does not fit 16 bits, 128 * 127 does: the sign of the weight goes to x.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Signed(Vector256<byte> w, Vector256<sbyte> x)
    {
        Vector256<sbyte> signed = (w ^ Vector256.Create((byte)128)).AsSByte();
        return Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(Avx2.Abs(signed), Avx2.Sign(x, signed)), Vector256.Create((short)1));
    }

    private static Vector256<int> Portable(Vector256<byte> w, Vector256<sbyte> x)
    {
        Span<int> lanes = stackalloc int[8];
        for (int i = 0; i < 32; i++)
        {
            lanes[i / 4] += w[i] * x[i];
        }
        return Vector256.Create<int>(lanes);
    }
}
