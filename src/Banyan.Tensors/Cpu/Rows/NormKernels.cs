namespace Banyan.Cpu;

/// <summary>
/// RMS norm (Zhang and Sennrich 2019): y = x * r * (w + offset), r = 1 / sqrt(mean(x^2) + eps), over rows of n.
/// Backward: with g = dy * (w + offset), dx = r * (g - x * r^2 * mean(g * x)); dw = the sum over rows of dy * x * r.
/// </summary>
internal static unsafe class RmsNormKernel
{
    public static void Forward(float* x, float* w, float offset, float eps, float* y, float* r, long rows, long n, ComputePool pool) =>
        RowKernel.Run(new ForwardRows { X = x, W = w, Offset = offset, Eps = eps, Y = y, R = r, N = n }, rows, n, pool);

    public static void Backward(float* x, float* w, float offset, float* r, float* dy, float* dx, long rows, long n, ComputePool pool) =>
        RowKernel.Run(new BackwardRows { X = x, W = w, Offset = offset, R = r, DY = dy, DX = dx, N = n }, rows, n, pool);

    private struct ForwardRows : IRowKernel
    {
        public float* X, W, Y, R;
        public float Offset, Eps;
        public long N;

        public void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct
        {
            for (long row = begin; row < end; row++)
            {
                float* x = X + row * N, y = Y + row * N;
                float r = 1 / MathF.Sqrt(RowReduce.Dot<S, V>(x, x, N) / N + Eps);
                R[row] = r;
                Scale<S, V>(x, y, r);
            }
        }

        private readonly void Scale<S, V>(float* x, float* y, float r) where S : struct, ISimd<V> where V : struct
        {
            V vr = S.Splat(r), offset = S.Splat(Offset);
            long i = 0;
            for (; i <= N - S.Width; i += S.Width)
            {
                V scaled = S.Mul(S.Load(x + i), vr);
                S.Store(y + i, W == null ? scaled : S.Mul(scaled, S.Add(S.Load(W + i), offset)));
            }
            for (; i < N; i++)
            {
                y[i] = W == null ? x[i] * r : x[i] * r * (W[i] + Offset);
            }
        }
    }

    private struct BackwardRows : IRowKernel
    {
        public float* X, W, R, DY, DX;
        public float Offset;
        public long N;

        public void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct
        {
            for (long row = begin; row < end; row++)
            {
                float* x = X + row * N, dy = DY + row * N, dx = DX + row * N;
                float r = R[row], c = r * r * RowReduce.Dot<S, V>(dy, W, Offset, x, 0, N) / N;
                Finish<S, V>(x, dy, dx, r, c);
            }
        }

        // dx = r * (g - x * c)
        private readonly void Finish<S, V>(float* x, float* dy, float* dx, float r, float c) where S : struct, ISimd<V> where V : struct
        {
            float* w = W;
            V vr = S.Splat(r), vc = S.Splat(-c);
            long i = 0, n = N;
            for (; i <= n - S.Width; i += S.Width)
            {
                V g = RowReduce.Weigh<S, V>(S.Load(dy + i), w, Offset, i);
                S.Store(dx + i, S.Mul(vr, S.Fma(S.Load(x + i), vc, g)));
            }
            for (; i < n; i++)
            {
                dx[i] = r * MathF.FusedMultiplyAdd(x[i], -c, RowReduce.Weigh<SimdScalar, float>(dy[i], w, Offset, i));
            }
        }
    }
}

/// <summary>
/// Layer norm (Ba et al. 2016): y = (x - m) * r * w + b, r = 1 / sqrt(var(x) + eps), with the variance from a second pass over x - m.
/// Backward: with g = dy * w and z = (x - m) * r, dx = r * (g - mean(g) - z * mean(g * z)).
/// </summary>
internal static unsafe class LayerNormKernel
{
    public static void Forward(float* x, float* w, float* b, float eps, float* y, float* mean, float* r, long rows, long n, ComputePool pool) =>
        RowKernel.Run(new ForwardRows { X = x, W = w, B = b, Eps = eps, Y = y, Mean = mean, R = r, N = n }, rows, n, pool);

    public static void Backward(float* x, float* w, float* mean, float* r, float* dy, float* dx, long rows, long n, ComputePool pool) =>
        RowKernel.Run(new BackwardRows { X = x, W = w, Mean = mean, R = r, DY = dy, DX = dx, N = n }, rows, n, pool);

    private struct ForwardRows : IRowKernel
    {
        public float* X, W, B, Y, Mean, R;
        public float Eps;
        public long N;

        public void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct
        {
            for (long row = begin; row < end; row++)
            {
                float* x = X + row * N, y = Y + row * N;
                float m = RowReduce.Sum<S, V>(x, N) / N;
                float r = 1 / MathF.Sqrt(RowReduce.Distance<S, V>(x, m, N) / N + Eps);
                (Mean[row], R[row]) = (m, r);
                Scale<S, V>(x, y, m, r);
            }
        }

        private readonly void Scale<S, V>(float* x, float* y, float m, float r) where S : struct, ISimd<V> where V : struct
        {
            float* w = W, b = B;
            V vm = S.Splat(m), vr = S.Splat(r);
            long i = 0, n = N;
            for (; i <= n - S.Width; i += S.Width)
            {
                V z = S.Mul(S.Sub(S.Load(x + i), vm), vr);
                z = w == null ? z : S.Mul(z, S.Load(w + i));
                S.Store(y + i, b == null ? z : S.Add(z, S.Load(b + i)));
            }
            for (; i < n; i++)
            {
                float z = (x[i] - m) * r;
                z = w == null ? z : z * w[i];
                y[i] = b == null ? z : z + b[i];
            }
        }
    }

    private struct BackwardRows : IRowKernel
    {
        public float* X, W, Mean, R, DY, DX;
        public long N;

        public void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct
        {
            for (long row = begin; row < end; row++)
            {
                float* x = X + row * N, dy = DY + row * N, dx = DX + row * N;
                float m = Mean[row], r = R[row];
                float g = RowReduce.Sum<S, V>(dy, W, 0, N) / N;
                // sum(g * z) = r * (sum(g * x) - m * sum(g)), taken over x - m to keep large offsets harmless
                float gz = r * RowReduce.Dot<S, V>(dy, W, 0, x, m, N) / N;
                Finish<S, V>(x, dy, dx, m, r, g, gz);
            }
        }

        private readonly void Finish<S, V>(float* x, float* dy, float* dx, float m, float r, float mean, float gz) where S : struct, ISimd<V> where V : struct
        {
            float* w = W;
            V vm = S.Splat(m), vr = S.Splat(r), vg = S.Splat(mean), vgz = S.Splat(-gz);
            long i = 0, n = N;
            for (; i <= n - S.Width; i += S.Width)
            {
                V z = S.Mul(S.Sub(S.Load(x + i), vm), vr), g = RowReduce.Weigh<S, V>(S.Load(dy + i), w, 0, i);
                S.Store(dx + i, S.Mul(vr, S.Fma(z, vgz, S.Sub(g, vg))));
            }
            for (; i < n; i++)
            {
                float g = RowReduce.Weigh<SimdScalar, float>(dy[i], w, 0, i);
                dx[i] = r * MathF.FusedMultiplyAdd((x[i] - m) * r, -gz, g - mean);
            }
        }
    }
}
