namespace Banyan.Cpu;

/// <summary>y = scale * x + shift for float32 and float64.</summary>
internal static unsafe class AffineLoop
{
    public static void Run(Tensor x, Tensor y, double scale, double shift)
    {
        if (y.Device.IsMeta)
        {
            return;
        }
        byte* px = x.Body.Storage!.Pointer, py = y.Body.Storage!.Pointer;
        if (x.DType == DType.Float64)
        {
            StridedLoop.Run(y.Shape, new Doubles { X = (double*)px, Y = (double*)py, Scale = scale, Shift = shift }, y.Pool, x, y);
            return;
        }
        StridedLoop.Run(y.Shape, new Floats { X = (float*)px, Y = (float*)py, Scale = (float)scale, Shift = (float)shift }, y.Pool, x, y);
    }

    private struct Doubles : IInnerLoop
    {
        public double* X, Y;
        public double Scale, Shift;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                Y[offset[1] + i * stride[1]] = X[offset[0] + i * stride[0]] * Scale + Shift;
            }
        }
    }

    private struct Floats : IInnerLoop
    {
        public float* X, Y;
        public float Scale, Shift;

        public void Run(long* offset, long* stride, long n)
        {
            float* x = X + offset[0], y = Y + offset[1];
            if (stride[0] == 1 && stride[1] == 1)
            {
                var dense = new Dense { X = x, Y = y, N = n, Scale = Scale, Shift = Shift };
                Isa.Run(ref dense);
                return;
            }
            for (long i = 0; i < n; i++)
            {
                y[i * stride[1]] = x[i * stride[0]] * Scale + Shift;
            }
        }
    }

    private struct Dense : IKernel
    {
        public float* X, Y;
        public long N;
        public float Scale, Shift;

        public void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            float* x = X, y = Y;
            V scale = S.Splat(Scale), shift = S.Splat(Shift);
            long i = 0, n = N;
            for (; i <= n - S.Width; i += S.Width)
            {
                S.Store(y + i, S.Add(S.Mul(S.Load(x + i), scale), shift));
            }
            for (; i < n; i++)
            {
                y[i] = x[i] * Scale + Shift;
            }
        }
    }
}
