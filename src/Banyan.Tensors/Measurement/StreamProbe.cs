using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// How fast memory delivers and takes long arrays: each step reads from <see cref="Reads"/> arrays and writes to <see cref="Writes"/>, with
/// next to no arithmetic. Kernels that only pass over memory cannot be faster, so their rates are quoted as fractions of the probe with
/// the same number of streams. A write in place goes to an array that was read; another write costs memory more than its bytes, since
/// the processor first reads the line.
/// </summary>
internal sealed unsafe class StreamProbe : IDisposable
{
    private const long Chunk = 16 << 10;       // elements of a piece of work
    private const long Elements = 8 << 20;     // of one array: 32 MiB, more than caches hold

    private readonly NativeBuffer[] _arrays;

    /// <summary>Allocates the arrays.</summary>
    /// <param name="reads">Arrays that are read, 0 to 4.</param>
    /// <param name="writes">Arrays that are written, 0 to 3.</param>
    /// <param name="inPlace">True writes into the first arrays that were read.</param>
    public StreamProbe(int reads, int writes, bool inPlace)
    {
        (Reads, Writes) = (reads, writes);
        _arrays = new NativeBuffer[inPlace ? reads : reads + writes];
        _first = inPlace ? 0 : reads;
        for (int i = 0; i < _arrays.Length; i++)
        {
            _arrays[i] = new NativeBuffer(Elements * sizeof(float));
            new Span<float>(_arrays[i].Floats, (int)Elements).Clear();
        }
    }

    private readonly int _first;   // the array of the first write

    public int Reads { get; }

    public int Writes { get; }

    /// <summary>One pass: 10^9 bytes read and written per second, all threads together.</summary>
    public double GigabytesPerSecond(ComputePool pool)
    {
        float** arrays = stackalloc float*[8];
        for (int i = 0; i < _arrays.Length; i++)
        {
            arrays[i] = _arrays[i].Floats;
        }
        double start = BusyTime.Now(pool.Threads);
        pool.For(Elements / Chunk, 1, new Body { Arrays = arrays, Reads = Reads, Writes = Writes, First = _first });
        return (Reads + Writes) * Elements * sizeof(float) / (BusyTime.Now(pool.Threads) - start) / 1e9;
    }

    public void Dispose()
    {
        foreach (NativeBuffer array in _arrays)
        {
            array.Dispose();
        }
    }

    private struct Body : IParallelBody, IKernel
    {
        public float** Arrays;
        public int Reads, Writes, First;
        private long _begin, _end;

        public void Run(long begin, long end)
        {
            (_begin, _end) = (begin * Chunk, end * Chunk);
            Isa.Run(ref this);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            float* r0 = Arrays[0], r1 = Arrays[1], r2 = Arrays[2], r3 = Arrays[3];
            float* w0 = Arrays[First], w1 = Arrays[First + 1], w2 = Arrays[First + 2];
            int reads = Reads, writes = Writes;
            V a = S.Zero, b = S.Zero, x = S.Zero, y = S.Zero;
            int w = S.Width;
            for (long i = _begin, end = _end; i < end; i += 2 * w)
            {
                // The counts do not change, so these branches are foreseen.
                if (reads > 0) { x = S.Load(r0 + i); y = S.Load(r0 + i + w); }
                if (reads > 1) { x = S.Or(x, S.Load(r1 + i)); y = S.Or(y, S.Load(r1 + i + w)); }
                if (reads > 2) { x = S.Or(x, S.Load(r2 + i)); y = S.Or(y, S.Load(r2 + i + w)); }
                if (reads > 3) { x = S.Or(x, S.Load(r3 + i)); y = S.Or(y, S.Load(r3 + i + w)); }
                if (writes > 0) { S.Store(w0 + i, x); S.Store(w0 + i + w, y); }
                if (writes > 1) { S.Store(w1 + i, x); S.Store(w1 + i + w, y); }
                if (writes > 2) { S.Store(w2 + i, x); S.Store(w2 + i + w, y); }
                a = S.Or(a, x);
                b = S.Or(b, y);
            }
            ArithmeticProbe.Keep(S.Or(a, b));
        }
    }
}
