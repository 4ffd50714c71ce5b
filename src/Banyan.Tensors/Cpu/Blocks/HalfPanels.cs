using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu;

/// <summary>
/// A matrix [N, K] of bfloat16 or half precision in panels of 16 rows (which are lanes), for each k the 16 numbers side by side: what a single row of the left operand reads straight,
/// and what becomes panels of float32 by widening alone. The products are those of the widened numbers, to the bit.
/// </summary>
internal sealed unsafe class HalfPanels : IDisposable
{
    /// <summary>Rows of a panel, and panels that are read together.</summary>
    private const int Lanes = 16, Pair = 2;

    private readonly NativeBuffer _buffer;
    private readonly bool _isBf16;

    private HalfPanels(bool isBf16, long n, long k)
    {
        (_isBf16, N, K) = (isBf16, n, k);
        Pairs = (n + Lanes * Pair - 1) / (Lanes * Pair);
        _buffer = new NativeBuffer(checked(Pairs * Pair * Lanes * k * sizeof(ushort)));
    }

    /// <summary>Rows of the matrix: outputs.</summary>
    public long N { get; }

    /// <summary>Columns of the matrix: inputs.</summary>
    public long K { get; }

    /// <summary>Pairs of panels; those past N are zero.</summary>
    public long Pairs { get; }

    /// <summary>Copies a matrix. Null where a half is not finite.</summary>
    public static HalfPanels? Pack(bool isBf16, ushort* from, long n, long k, ComputePool pool)
    {
        var panels = new HalfPanels(isBf16, n, k);
        int bad = 0;
        pool.For(panels.Pairs * Pair, 1, new PackBody { To = panels, From = from, Bad = &bad });
        if (bad == 0)
        {
            return panels;
        }
        panels.Dispose();
        return null;
    }

    /// <summary>Rows of x times a pair of panels: 32 results each, one chain over k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Row(long pair, float* x, float* to)
    {
        ushort* low = Panel(pair * Pair), high = Panel(pair * Pair + 1);
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        long k = K;
        bool isBf16 = _isBf16;
        for (long i = 0; i < k; i++, low += Lanes, high += Lanes)
        {
            if (Sse.IsSupported && (i & 1) == 0)
            {
                Sse.Prefetch0(low + 1024);
                Sse.Prefetch0(high + 1024);
            }
            var v = Vector256.Create(x[i]);
            if (isBf16)
            {
                s0 = Vector256.FusedMultiplyAdd(v, Bf16(low), s0);
                s1 = Vector256.FusedMultiplyAdd(v, Bf16(low + 8), s1);
                s2 = Vector256.FusedMultiplyAdd(v, Bf16(high), s2);
                s3 = Vector256.FusedMultiplyAdd(v, Bf16(high + 8), s3);
            }
            else
            {
                s0 = Vector256.FusedMultiplyAdd(v, Halves.Load(low), s0);
                s1 = Vector256.FusedMultiplyAdd(v, Halves.Load(low + 8), s1);
                s2 = Vector256.FusedMultiplyAdd(v, Halves.Load(high), s2);
                s3 = Vector256.FusedMultiplyAdd(v, Halves.Load(high + 8), s3);
            }
        }
        s0.Store(to);
        s1.Store(to + 8);
        s2.Store(to + 16);
        s3.Store(to + 24);
    }

    /// <summary>Widens pairs of panels to the layout of <see cref="PackedMatrix"/>.</summary>
    public void Widen(long pair, long count, float* to, ComputePool pool) => pool.For(count, 1, new WidenBody { Of = this, First = pair, To = to });

    public void Dispose() => _buffer.Dispose();

    private ushort* Panel(long index) => (ushort*)_buffer.Floats + index * Lanes * K;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Bf16(ushort* from)
    {
        if (Avx2.IsSupported)
        {
            return (Avx2.ConvertToVector256Int32(from).AsUInt32() << 16).AsSingle();
        }
        (Vector128<uint> a, Vector128<uint> b) = Vector128.Widen(Vector128.Load(from));
        return (Vector256.Create(a, b) << 16).AsSingle();
    }

    private struct PackBody : IParallelBody
    {
        public HalfPanels To;
        public ushort* From;
        public int* Bad;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(long begin, long end)
        {
            const int Exponent = 0x7C00, Block = 64;
            bool finite = true;
            long k = To.K;
            for (long p = begin; p < end; p++)
            {
                ushort* panel = To.Panel(p);
                long rows = Math.Clamp(To.N - p * Lanes, 0, Lanes);
                // In blocks: the 16 rows lie far apart, the lanes side by side.
                for (long first = 0; first < k; first += Block)
                {
                    long last = Math.Min(first + Block, k);
                    for (long lane = 0; lane < rows; lane++)
                    {
                        ushort* row = From + (p * Lanes + lane) * k, to = panel + lane;
                        for (long i = first; i < last; i++)
                        {
                            to[i * Lanes] = row[i];
                            finite &= (row[i] & Exponent) != Exponent;
                        }
                    }
                }
            }
            if (!finite && !To._isBf16)
            {
                *Bad = 1;
            }
        }
    }

    private struct WidenBody : IParallelBody
    {
        public HalfPanels Of;
        public long First;
        public float* To;

        public readonly void Run(long begin, long end)
        {
            // Where a packed panel is as wide as a pair, the two lie side by side for each k, else one behind the other.
            int columns = GemmBlocking.TileColumns(Isa.Width);
            for (long pair = begin; pair < end; pair++)
            {
                for (int half = 0; half < Pair; half++)
                {
                    ushort* from = Of.Panel((First + pair) * Pair + half);
                    for (int lane = 0; lane < Lanes; lane += 8)
                    {
                        long column = pair * Pair * Lanes + half * Lanes + lane;
                        Lines(from + lane, To + column / columns * columns * Of.K + column % columns, Math.Min(columns, 32));
                    }
                }
            }
        }

        // Eight columns; a packed panel narrower than that holds them one panel behind the other.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Lines(ushort* from, float* to, int columns)
        {
            long k = Of.K;
            bool isBf16 = Of._isBf16;
            if (columns >= 8)
            {
                for (long i = 0; i < k; i++)
                {
                    (isBf16 ? Bf16(from + i * Lanes) : Halves.Load(from + i * Lanes)).Store(to + i * columns);
                }
                return;
            }
            for (int c = 0; c < 8; c++)
            {
                float* panel = to + c / columns * columns * k + c % columns;
                for (long i = 0; i < k; i++)
                {
                    panel[i * columns] = isBf16 ? BitConverter.UInt32BitsToSingle((uint)from[i * Lanes + c] << 16) : (float)BitConverter.UInt16BitsToHalf(from[i * Lanes + c]);
                }
            }
        }
    }
}
