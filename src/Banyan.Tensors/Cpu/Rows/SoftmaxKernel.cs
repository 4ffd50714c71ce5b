namespace Banyan.Cpu;

/// <summary>
/// Softmax of rows of n, y = e^(x - max) / sum, or its logarithm, y = x - max - log(sum). Backward: dx = y (dy - sum of dy y), for the logarithm
/// dx = dy - e^y sum of dy.
/// </summary>
internal static unsafe class SoftmaxKernel
{
    public static void Forward(float* x, float* y, bool log, long rows, long n, ComputePool pool) =>
        RowKernel.Run(new ForwardRows { X = x, Y = y, Log = log, N = n }, rows, n, pool);

    public static void Backward(float* y, float* dy, float* dx, bool log, long rows, long n, ComputePool pool) =>
        RowKernel.Run(new BackwardRows { Y = y, DY = dy, DX = dx, Log = log, N = n }, rows, n, pool);

    private struct ForwardRows : IRowKernel
    {
        public float* X, Y;
        public bool Log;
        public long N;

        public readonly void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct
        {
            for (long row = begin; row < end; row++)
            {
                float* x = X + row * N, y = Y + row * N;
                float max = RowReduce.Max<S, V>(x, N), sum = RowExp.Sum<S, V>(x, max, N, Log ? null : y);
                if (Log)
                {
                    Shift<S, V>(x, y, max, MathF.Log(sum), N);
                }
                else
                {
                    Scale<S, V>(y, 1 / sum, N);
                }
            }
        }

        private static void Scale<S, V>(float* y, float factor, long n) where S : struct, ISimd<V> where V : struct
        {
            V f = S.Splat(factor);
            long i = 0;
            for (; i <= n - S.Width; i += S.Width)
            {
                S.Store(y + i, S.Mul(S.Load(y + i), f));
            }
            for (; i < n; i++)
            {
                y[i] *= factor;
            }
        }

        private static void Shift<S, V>(float* x, float* y, float max, float log, long n) where S : struct, ISimd<V> where V : struct
        {
            V m = S.Splat(max), l = S.Splat(log);
            long i = 0;
            for (; i <= n - S.Width; i += S.Width)
            {
                S.Store(y + i, S.Sub(S.Sub(S.Load(x + i), m), l));
            }
            for (; i < n; i++)
            {
                y[i] = x[i] - max - log;
            }
        }
    }

    private struct BackwardRows : IRowKernel
    {
        public float* Y, DY, DX;
        public bool Log;
        public long N;

        public readonly void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct
        {
            for (long row = begin; row < end; row++)
            {
                float* y = Y + row * N, dy = DY + row * N, dx = DX + row * N;
                float sum = Log ? RowReduce.Sum<S, V>(dy, N) : RowReduce.Dot<S, V>(dy, y, N);
                long i = 0;
                for (; i <= N - S.Width; i += S.Width)
                {
                    Element<S, V>(y + i, dy + i, dx + i, sum);
                }
                for (; i < N; i++)
                {
                    Element<SimdScalar, float>(y + i, dy + i, dx + i, sum);
                }
            }
        }

        private readonly void Element<S, V>(float* y, float* dy, float* dx, float sum) where S : struct, ISimd<V> where V : struct
        {
            V p = S.Load(y), d = S.Load(dy), s = S.Splat(sum);
            S.Store(dx, Log ? S.Fma(S.Neg(VectorMath.Exp<S, V>(p)), s, d) : S.Mul(p, S.Sub(d, s)));
        }
    }
}
