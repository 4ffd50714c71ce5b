using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>How fast the processor does float32 fused multiply-adds in registers: twelve independent chains on each thread.</summary>
internal static class ArithmeticProbe
{
    private const int Chains = 12;

    /// <summary>About 5 ms of work on a slow processor.</summary>
    public const long ShortSteps = 100_000;

    /// <summary>One measurement: 10^9 operations per second (a multiply-add counts as two), all threads together.</summary>
    public static double Gflops(ComputePool pool, long steps = ShortSteps)
    {
        double start = BusyTime.Now(pool.Threads);
        pool.For(pool.Threads, 1, new Body { Steps = steps });
        return 2.0 * pool.Threads * steps * Chains * Isa.Width / (BusyTime.Now(pool.Threads) - start) / 1e9;
    }

    private struct Body : IParallelBody
    {
        public long Steps;

        public readonly void Run(long begin, long end)
        {
            for (long i = begin; i < end; i++)
            {
                var kernel = new Kernel { Steps = Steps };
                Isa.Run(ref kernel);
            }
        }
    }

    private struct Kernel : IKernel
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

    /// <summary>Takes a value, so that the compiler does not drop the loop that made it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Keep<V>(V value) => _ = value;
}
