namespace Banyan.Cpu;

/// <summary>
/// Cross-entropy of rows of logits with one target each: loss = log(sum exp z) - z[target], with label smoothing e:
/// (1 - e) * loss + e * (log(sum exp z) - mean z). The logits are replaced by their gradient, scaled: (softmax - target) * scale.
/// </summary>
internal static unsafe class CrossEntropyKernel
{
    /// <summary>Losses of the rows; a target of <paramref name="ignore"/> gives loss 0 and gradient 0.</summary>
    /// <param name="z">Logits (rows, n); overwritten by the gradient when <paramref name="gradient"/>.</param>
    /// <param name="targets">(rows).</param>
    /// <param name="loss">(rows).</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="n">Classes.</param>
    /// <param name="ignore">The target that does not count.</param>
    /// <param name="smoothing">Label smoothing e, 0 for none.</param>
    /// <param name="scale">Factor of the gradient.</param>
    /// <param name="gradient">True overwrites the logits.</param>
    /// <param name="pool">Threads.</param>
    public static void Run(float* z, long* targets, float* loss, long rows, long n, long ignore, float smoothing, float scale, bool gradient, ComputePool pool) =>
        RowKernel.Run(new Kernel { Z = z, Targets = targets, Loss = loss, N = n, Ignore = ignore, Smoothing = smoothing, Scale = scale, Gradient = gradient }, rows, n, pool);

    private const int BlockSize = 512;

    private struct Kernel : IRowKernel
    {
        public float* Z, Loss;
        public long* Targets;
        public long N, Ignore;
        public float Smoothing, Scale;
        public bool Gradient;

        public void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct
        {
            for (long row = begin; row < end; row++)
            {
                float* z = Z + row * N;
                long target = Targets[row];
                if (target == Ignore)
                {
                    Loss[row] = 0;
                    if (Gradient)
                    {
                        new Span<float>(z, checked((int)N)).Clear();
                    }
                    continue;
                }
                Row<S, V>(z, target, Loss + row);
            }
        }

        private readonly void Row<S, V>(float* z, long target, float* loss) where S : struct, ISimd<V> where V : struct
        {
            float max = RowReduce.Max<S, V>(z, N), zt = z[target] - max;
            float mean = Smoothing == 0 ? 0 : RowReduce.Sum<S, V>(z, N) / N - max;
            float sum = SumExp<S, V>(z, max);
            float log = MathF.Log(sum);
            *loss = Smoothing == 0 ? log - zt : (1 - Smoothing) * (log - zt) + Smoothing * (log - mean);
            if (Gradient)
            {
                Finish<S, V>(z, Scale / sum, -Scale * Smoothing / N);
                z[target] -= Scale * (1 - Smoothing);
            }
        }

        // The sum of e^(z - max), in blocks of a fixed size, each in RowReduce's order; with Gradient the exponentials replace the logits.
        private readonly float SumExp<S, V>(float* z, float max) where S : struct, ISimd<V> where V : struct
        {
            float* block = stackalloc float[BlockSize];
            float sum = 0;
            for (long from = 0; from < N; from += BlockSize)
            {
                long m = Math.Min(BlockSize, N - from);
                float* e = Gradient ? z + from : block;
                V vmax = S.Splat(max);
                long i = 0;
                for (; i <= m - S.Width; i += S.Width)
                {
                    S.Store(e + i, VectorMath.Exp<S, V>(S.Sub(S.Load(z + from + i), vmax)));
                }
                for (; i < m; i++)
                {
                    e[i] = VectorMath.Exp<SimdScalar, float>(z[from + i] - max);
                }
                sum += RowReduce.Sum<S, V>(e, m);
            }
            return sum;
        }

        private readonly void Finish<S, V>(float* z, float factor, float shift) where S : struct, ISimd<V> where V : struct
        {
            V f = S.Splat(factor), c = S.Splat(shift);
            long i = 0;
            for (; i <= N - S.Width; i += S.Width)
            {
                S.Store(z + i, S.Fma(S.Load(z + i), f, c));
            }
            for (; i < N; i++)
            {
                z[i] = MathF.FusedMultiplyAdd(z[i], factor, shift);
            }
        }
    }
}
