namespace Banyan.Cpu;

/// <summary>Softmax and log-softmax of rows, and their gradients (see <see cref="Ops.Softmax"/> and <see cref="Ops.LogSoftmax"/>).</summary>
internal static unsafe class SoftmaxKernel
{
    /// <summary>y = softmax(x), or its logarithm, of each row; y may be x.</summary>
    public static void Forward(float* x, float* y, long rows, long n, bool log, ComputePool pool) =>
        RowKernel.Run(new ForwardRows { X = x, Y = y, N = n, Log = log }, rows, n, pool);

    /// <summary>dx from dy and the result y; dx may be dy.</summary>
    public static void Backward(float* y, float* dy, float* dx, long rows, long n, bool log, ComputePool pool) =>
        RowKernel.Run(new BackwardRows { Y = y, DY = dy, DX = dx, N = n, Log = log }, rows, n, pool);

    private struct ForwardRows : IRowKernel
    {
        public float* X, Y;
        public long N;
        public bool Log;

        public readonly void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct
        {
            for (long row = begin; row < end; row++)
            {
                float* x = X + row * N, y = Y + row * N;
                float max = RowReduce.Max<S, V>(x, N);
                float sum = RowExp.Sum<S, V>(x, max, N, Log ? null : y);
                float log = VectorMath.Log<SimdScalar, float>(sum);
                long i = 0;
                for (; i <= N - S.Width; i += S.Width)
                {
                    Finish<S, V>(x + i, y + i, max, sum, log);
                }
                for (; i < N; i++)
                {
                    Finish<SimdScalar, float>(x + i, y + i, max, sum, log);
                }
            }
        }

        // x - max is rounded first: where elements are large, log(sum) would vanish in max + log(sum).
        private readonly void Finish<S, V>(float* x, float* y, float max, float sum, float log) where S : struct, ISimd<V> where V : struct =>
            S.Store(y, Log ? S.Sub(S.Sub(S.Load(x), S.Splat(max)), S.Splat(log)) : S.Div(S.Load(y), S.Splat(sum)));
    }

    private struct BackwardRows : IRowKernel
    {
        public float* Y, DY, DX;
        public long N;
        public bool Log;

        public readonly void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct
        {
            for (long row = begin; row < end; row++)
            {
                float* y = Y + row * N, dy = DY + row * N, dx = DX + row * N;
                float sum = Log ? RowReduce.Sum<S, V>(dy, N) : RowReduce.Dot<S, V>(dy, y, N);
                long i = 0;
                for (; i <= N - S.Width; i += S.Width)
                {
                    Slope<S, V>(y + i, dy + i, dx + i, sum);
                }
                for (; i < N; i++)
                {
                    Slope<SimdScalar, float>(y + i, dy + i, dx + i, sum);
                }
            }
        }

        private readonly void Slope<S, V>(float* y, float* dy, float* dx, float sum) where S : struct, ISimd<V> where V : struct
        {
            V v = S.Load(y), dv = S.Load(dy), s = S.Splat(sum);
            S.Store(dx, Log ? S.Fma(S.Neg(VectorMath.Exp<S, V>(v)), s, dv) : S.Mul(v, S.Sub(dv, s)));
        }
    }
}
