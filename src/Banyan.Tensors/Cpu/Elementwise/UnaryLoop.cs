namespace Banyan.Cpu;

/// <summary>A function of one element: as a vector function for float32, and in double precision for float64 (the oracle).</summary>
internal interface IUnary
{
    static abstract V Apply<S, V>(V x) where S : struct, ISimd<V> where V : struct;

    static abstract double Apply(double x);
}

/// <summary>Applies an <see cref="IUnary"/> to every element.</summary>
internal static unsafe class UnaryLoop
{
    /// <summary>y = f(x); y has x's shape. float32 and float64; half types compute in float32 (see <see cref="Elementwise"/>).</summary>
    public static void Run<F>(Tensor x, Tensor y) where F : struct, IUnary
    {
        if (y.Device.IsMeta)
        {
            return;
        }
        if (x.DType == DType.Float64)
        {
            StridedLoop.Run(y.Shape, new Doubles<F> { X = (double*)x.Body.Storage!.Pointer, Y = (double*)y.Body.Storage!.Pointer }, y.Pool, x, y);
            return;
        }
        StridedLoop.Run(y.Shape, new Floats<F> { X = (float*)x.Body.Storage!.Pointer, Y = (float*)y.Body.Storage!.Pointer }, y.Pool, x, y);
    }

    private struct Doubles<F> : IInnerLoop where F : struct, IUnary
    {
        public double* X, Y;

        public void Run(long* offset, long* stride, long n)
        {
            double* x = X + offset[0], y = Y + offset[1];
            for (long i = 0; i < n; i++)
            {
                y[i * stride[1]] = F.Apply(x[i * stride[0]]);
            }
        }
    }

    private struct Floats<F> : IInnerLoop where F : struct, IUnary
    {
        public float* X, Y;

        public void Run(long* offset, long* stride, long n)
        {
            float* x = X + offset[0], y = Y + offset[1];
            if (stride[0] == 1 && stride[1] == 1)
            {
                var dense = new Dense<F> { X = x, Y = y, N = n };
                Isa.Run(ref dense);
                return;
            }
            for (long i = 0; i < n; i++)
            {
                y[i * stride[1]] = F.Apply<SimdScalar, float>(x[i * stride[0]]);
            }
        }
    }

    private struct Dense<F> : IKernel where F : struct, IUnary
    {
        public float* X, Y;
        public long N;

        public void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            float* x = X, y = Y;
            long i = 0, n = N;
            for (; i <= n - S.Width; i += S.Width)
            {
                S.Store(y + i, F.Apply<S, V>(S.Load(x + i)));
            }
            for (; i < n; i++)
            {
                y[i] = F.Apply<SimdScalar, float>(x[i]);
            }
        }
    }
}
