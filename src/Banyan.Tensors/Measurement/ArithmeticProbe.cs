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

    /// <summary>
    /// The same for dot products of bfloat16, by the emitted kernel on operands that stay in the first cache. Where it is not available, the float32 rate: the
    /// float32 kernels do the work then.
    /// </summary>
    public static double Bf16Gflops(ComputePool pool, long repeats = 200)
    {
        if (!Emit.Bf16Tile.IsAvailable)
        {
            return Gflops(pool);
        }
        double start = BusyTime.Now(pool.Threads);
        pool.For(pool.Threads, 1, new Bf16Body { Repeats = repeats });
        return 2.0 * pool.Threads * repeats * Bf16Body.Operations / (BusyTime.Now(pool.Threads) - start) / 1e9;
    }

    private unsafe struct Bf16Body : IParallelBody
    {
        private const int Pairs = 128, Rows = Emit.Bf16Tile.MaxRows, Columns = 32;

        /// <summary>Multiply-adds of one call.</summary>
        public const long Operations = 2L * Pairs * Rows * Columns;

        public long Repeats;

        public readonly void Run(long begin, long end)
        {
            uint* operands = stackalloc uint[Pairs * (Rows + Columns)];
            float* sums = stackalloc float[Rows * Columns];
            new Span<uint>(operands, Pairs * (Rows + Columns)).Clear();
            for (long i = 0; i < (end - begin) * Repeats; i++)
            {
                var args = new Emit.Bf16TileArgs { Pairs = Pairs, A = operands, B = operands + Pairs * Rows, To = sums, ToRow = Columns * sizeof(float) };
                Emit.Bf16Tile.Run(Rows, &args);
            }
        }
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
