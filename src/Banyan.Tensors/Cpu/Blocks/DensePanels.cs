using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu;

/// <summary>
/// A matrix [N, K] of float32, bfloat16 or half precision in panels of 16 rows (which are lanes), for each k the 16 numbers side by side: what a single row of the left operand reads
/// straight, and what becomes packed float32 by widening alone. The products are those of the widened numbers, to the bit.
/// </summary>
internal abstract unsafe class DensePanels : IDisposable
{
    /// <summary>Rows of a panel, and panels that are read together.</summary>
    protected const int Lanes = 16, Pair = 2;

    private readonly NativeBuffer _buffer;

    protected DensePanels(long n, long k, int bytes)
    {
        (N, K) = (n, k);
        Pairs = (n + Lanes * Pair - 1) / (Lanes * Pair);
        _buffer = new NativeBuffer(checked(Pairs * Pair * Lanes * k * bytes));
    }

    /// <summary>Rows of the matrix: outputs.</summary>
    public long N { get; }

    /// <summary>Columns of the matrix: inputs.</summary>
    public long K { get; }

    /// <summary>Pairs of panels; those past N are zero.</summary>
    public long Pairs { get; }

    protected void* Start => _buffer.Floats;

    /// <summary>Copies a matrix. Null where a half is not finite.</summary>
    public static DensePanels? Pack(DType type, void* from, long n, long k, ComputePool pool) =>
        type == DType.Float32 ? DensePanels<float, StoredFloat>.Pack(from, n, k, pool)
        : type == DType.BFloat16 ? DensePanels<ushort, StoredBf16>.Pack(from, n, k, pool) : DensePanels<ushort, StoredHalf>.Pack(from, n, k, pool);

    /// <summary>A row of x times a pair of panels: 32 results, each one chain over k.</summary>
    public abstract void Row(long pair, float* x, float* to);

    /// <summary>Widens pairs of panels to the layout of <see cref="PackedMatrix"/>.</summary>
    public abstract void Widen(long pair, long count, float* to, ComputePool pool);

    public void Dispose() => _buffer.Dispose();
}

/// <summary>Numbers as they are stored.</summary>
internal unsafe interface IStored<T> where T : unmanaged
{
    /// <summary>Whether the number can be read by <see cref="Load"/>.</summary>
    static abstract bool CanLoad(T value);

    /// <summary>Eight numbers as float32.</summary>
    static abstract Vector256<float> Load(T* from);

    /// <summary>One number.</summary>
    static abstract float One(T value);
}

internal readonly unsafe struct StoredFloat : IStored<float>
{
    public static bool CanLoad(float value) => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* from) => Vector256.Load(from);

    public static float One(float value) => value;
}

internal readonly unsafe struct StoredBf16 : IStored<ushort>
{
    public static bool CanLoad(ushort value) => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(ushort* from)
    {
        if (Avx2.IsSupported)
        {
            return (Avx2.ConvertToVector256Int32(from).AsUInt32() << 16).AsSingle();
        }
        (Vector128<uint> a, Vector128<uint> b) = Vector128.Widen(Vector128.Load(from));
        return (Vector256.Create(a, b) << 16).AsSingle();
    }

    public static float One(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);
}

internal readonly unsafe struct StoredHalf : IStored<ushort>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool CanLoad(ushort value) => (value & 0x7C00) != 0x7C00;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(ushort* from) => Halves.Load(from);

    public static float One(ushort value) => (float)BitConverter.UInt16BitsToHalf(value);
}

/// <summary>The panels of one type of numbers.</summary>
internal sealed unsafe class DensePanels<T, TStored> : DensePanels where T : unmanaged where TStored : struct, IStored<T>
{
    private DensePanels(long n, long k) : base(n, k, sizeof(T))
    {
    }

    public static DensePanels? Pack(void* from, long n, long k, ComputePool pool)
    {
        var panels = new DensePanels<T, TStored>(n, k);
        int bad = 0;
        pool.For(panels.Pairs * Pair, 1, new PackBody { To = panels, From = (T*)from, Bad = &bad });
        if (bad == 0)
        {
            return panels;
        }
        panels.Dispose();
        return null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Row(long pair, float* x, float* to)
    {
        T* low = Panel(pair * Pair), high = Panel(pair * Pair + 1);
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        long k = K;
        for (long i = 0; i < k; i++, low += Lanes, high += Lanes)
        {
            if (Sse.IsSupported && (sizeof(T) == 4 || (i & 1) == 0))
            {
                const int Ahead = 2048;
                Sse.Prefetch0((byte*)low + Ahead);
                Sse.Prefetch0((byte*)high + Ahead);
            }
            var v = Vector256.Create(x[i]);
            s0 = Vector256.FusedMultiplyAdd(v, TStored.Load(low), s0);
            s1 = Vector256.FusedMultiplyAdd(v, TStored.Load(low + 8), s1);
            s2 = Vector256.FusedMultiplyAdd(v, TStored.Load(high), s2);
            s3 = Vector256.FusedMultiplyAdd(v, TStored.Load(high + 8), s3);
        }
        s0.Store(to);
        s1.Store(to + 8);
        s2.Store(to + 16);
        s3.Store(to + 24);
    }

    public override void Widen(long pair, long count, float* to, ComputePool pool) => pool.For(count, 1, new WidenBody { Of = this, First = pair, To = to });

    private T* Panel(long index) => (T*)Start + index * Lanes * K;

    private struct PackBody : IParallelBody
    {
        public DensePanels<T, TStored> To;
        public T* From;
        public int* Bad;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(long begin, long end)
        {
            const int Block = 64;
            bool fits = true;
            long k = To.K;
            for (long p = begin; p < end; p++)
            {
                T* panel = To.Panel(p);
                long rows = Math.Clamp(To.N - p * Lanes, 0, Lanes);
                // In blocks: the 16 rows lie far apart, the lanes side by side.
                for (long first = 0; first < k; first += Block)
                {
                    long last = Math.Min(first + Block, k);
                    for (long lane = 0; lane < rows; lane++)
                    {
                        T* row = From + (p * Lanes + lane) * k, to = panel + lane;
                        for (long i = first; i < last; i++)
                        {
                            to[i * Lanes] = row[i];
                            fits &= TStored.CanLoad(row[i]);
                        }
                    }
                }
            }
            if (!fits)
            {
                *Bad = 1;
            }
        }
    }

    private struct WidenBody : IParallelBody
    {
        public DensePanels<T, TStored> Of;
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
                    T* from = Of.Panel((First + pair) * Pair + half);
                    for (int lane = 0; lane < Lanes; lane += 8)
                    {
                        long column = pair * Pair * Lanes + half * Lanes + lane;
                        Lines(from + lane, To + column / columns * columns * Of.K + column % columns, columns);
                    }
                }
            }
        }

        // Eight columns; packed panels narrower than that hold them one panel behind the other.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Lines(T* from, float* to, int columns)
        {
            long k = Of.K;
            if (columns >= 8)
            {
                for (long i = 0; i < k; i++)
                {
                    TStored.Load(from + i * Lanes).Store(to + i * columns);
                }
                return;
            }
            for (int c = 0; c < 8; c++)
            {
                float* panel = to + c / columns * columns * k + c % columns;
                for (long i = 0; i < k; i++)
                {
                    panel[i * columns] = TStored.One(from[i * Lanes + c]);
                }
            }
        }
    }
}
