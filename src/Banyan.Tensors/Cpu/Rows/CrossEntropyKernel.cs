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
    /// <param name="rowScales">One more factor for each row (rows), or null.</param>
    /// <param name="gradient">True overwrites the logits.</param>
    /// <param name="pool">Threads.</param>
    public static void Run(float* z, long* targets, float* loss, long rows, long n, long ignore, float smoothing, float scale, float* rowScales, bool gradient,
        ComputePool pool) =>
        RowKernel.Run(new Kernel
        {
            Z = z, Targets = targets, Loss = loss, N = n, Ignore = ignore, Smoothing = smoothing, Scale = scale, RowScales = rowScales, Gradient = gradient,
        }, rows, n, pool);

    private struct Kernel : IRowKernel
    {
        public float* Z, Loss, RowScales;
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
                Row<S, V>(z, target, Loss + row, RowScales == null ? Scale : Scale * RowScales[row]);
            }
        }

        private readonly void Row<S, V>(float* z, long target, float* loss, float scale) where S : struct, ISimd<V> where V : struct
        {
            float max = RowReduce.Max<S, V>(z, N), zt = z[target] - max;
            float mean = Smoothing == 0 ? 0 : RowReduce.Sum<S, V>(z, N) / N - max;
            float sum = RowExp.Sum<S, V>(z, max, N, Gradient ? z : null);
            float log = VectorMath.Log<SimdScalar, float>(sum);
            *loss = Smoothing == 0 ? log - zt : (1 - Smoothing) * (log - zt) + Smoothing * (log - mean);
            if (Gradient)
            {
                Finish<S, V>(z, scale / sum, -scale * Smoothing / N);
                z[target] -= scale * (1 - Smoothing);
            }
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
