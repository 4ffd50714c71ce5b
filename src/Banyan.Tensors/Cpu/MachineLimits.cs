using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// What this machine can do at most, measured: the roof that benchmarks quote fractions of (Williams et al., "Roofline", 2009).
/// </summary>
public static unsafe class MachineLimits
{
    private const int Accumulators = 12;

    /// <summary>The vector width that kernels of this process use, in words.</summary>
    public static string VectorWidth => Isa.Name;

    /// <summary>Measures float32 arithmetic: independent fused multiply-adds in registers. Takes about 0.3 s.</summary>
    /// <param name="threads">Threads that compute at the same time.</param>
    /// <returns>10^9 operations per second (a multiply-add counts as two), all threads together, best of several runs.</returns>
    public static double MeasureGflops(int threads)
    {
        using var pool = new ComputePool(threads);
        const long Steps = 400_000;
        double best = 0;
        ForAbout(0.3, () =>
        {
            best = Math.Max(best, GflopsOnce(pool, Steps));
        });
        return best;
    }

    /// <summary>One measurement, of <paramref name="steps"/> x 12 vectors on each thread; a benchmark takes it next to its own.</summary>
    internal static double GflopsOnce(ComputePool pool, long steps)
    {
        long start = Stopwatch.GetTimestamp();
        pool.For(pool.Threads, 1, new ArithmeticBody { Steps = steps });
        return 2.0 * pool.Threads * steps * Accumulators * Isa.Width / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
    }

    /// <summary>Measures reading of main memory in sequence from a buffer that no cache can hold. Takes about 0.4 s.</summary>
    /// <param name="threads">Threads that read at the same time.</param>
    /// <returns>10^9 bytes per second, all threads together, best of several runs.</returns>
    public static double MeasureReadGigabytesPerSecond(int threads)
    {
        using var pool = new ComputePool(threads);
        using var buffer = new NativeBuffer(Math.Max(128L << 20, 8 * CpuCaches.L3));
        long floats = buffer.Bytes / sizeof(float);
        new Span<byte>(buffer.Floats, (int)Math.Min(buffer.Bytes, int.MaxValue)).Clear();
        double best = 0;
        ForAbout(0.3, () =>
        {
            double seconds = Time(() => pool.For(floats / ReadBody.Chunk, 1, new ReadBody { From = buffer.Floats }));
            best = Math.Max(best, buffer.Bytes / seconds / 1e9);
        });
        return best;
    }

    private static void ForAbout(double seconds, Action action)
    {
        action();
        long start = Stopwatch.GetTimestamp();
        do
        {
            action();
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds);
    }

    private static double Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private struct ArithmeticBody : IParallelBody
    {
        public long Steps;

        public readonly void Run(long begin, long end)
        {
            for (long i = begin; i < end; i++)
            {
                var kernel = new ArithmeticKernel { Steps = Steps };
                Isa.Run(ref kernel);
            }
        }
    }

    private struct ArithmeticKernel : IKernel
    {
        public long Steps;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            V x = S.Splat(0.999f), y = S.Splat(0.001f), a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
            for (long step = Steps; step > 0; step--)
            {
                a = S.Fma(a, x, y);
                b = S.Fma(b, x, y);
                c = S.Fma(c, x, y);
                d = S.Fma(d, x, y);
                e = S.Fma(e, x, y);
                f = S.Fma(f, x, y);
                g = S.Fma(g, x, y);
                h = S.Fma(h, x, y);
                i = S.Fma(i, x, y);
                j = S.Fma(j, x, y);
                k = S.Fma(k, x, y);
                l = S.Fma(l, x, y);
            }
            Keep(S.Add(S.Add(S.Add(S.Add(a, b), S.Add(c, d)), S.Add(S.Add(e, f), S.Add(g, h))), S.Add(S.Add(i, j), S.Add(k, l))));
        }
    }

    private struct ReadBody : IParallelBody
    {
        public const long Chunk = 256 << 10;

        public float* From;

        public readonly void Run(long begin, long end)
        {
            var kernel = new ReadKernel { From = From + begin * Chunk, Count = (end - begin) * Chunk };
            Isa.Run(ref kernel);
        }
    }

    private struct ReadKernel : IKernel
    {
        public float* From;
        public long Count;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            V a = S.Zero, b = S.Zero, c = S.Zero, d = S.Zero;
            int w = S.Width;
            float* p = From;
            for (float* end = From + Count; p < end; p += 4 * w)
            {
                a = S.Or(a, S.Load(p));
                b = S.Or(b, S.Load(p + w));
                c = S.Or(c, S.Load(p + 2 * w));
                d = S.Or(d, S.Load(p + 3 * w));
            }
            Keep(S.Or(S.Or(a, b), S.Or(c, d)));
        }
    }

    // The compiler must not drop the loop that made the value.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Keep<V>(V value) => _ = value;
}
