namespace Banyan.Cpu;

/// <summary>A function of two elements: float32 as a vector function, float64 in double precision, integers as int64.</summary>
internal interface IBinary
{
    static abstract V Apply<S, V>(V a, V b) where S : struct, ISimd<V> where V : struct;

    static abstract double Apply(double a, double b);

    static abstract long Apply(long a, long b);
}

/// <summary>Applies an <see cref="IBinary"/> to every pair of elements, with broadcasting.</summary>
internal static unsafe class BinaryLoop
{
    /// <summary>y = f(a, b); a and b broadcast to y's shape and all have one type: float32, float64 or int64. y may be a or b.</summary>
    public static void Run<F>(Tensor a, Tensor b, Tensor y) where F : struct, IBinary
    {
        if (y.Device.IsMeta)
        {
            return;
        }
        byte* pa = a.Body.Storage!.Pointer, pb = b.Body.Storage!.Pointer, py = y.Body.Storage!.Pointer;
        if (y.DType == DType.Float32)
        {
            StridedLoop.Run(y.Shape, new Floats<F> { A = (float*)pa, B = (float*)pb, Y = (float*)py }, y.Pool, a, b, y);
        }
        else if (y.DType == DType.Float64)
        {
            StridedLoop.Run(y.Shape, new Doubles<F> { A = (double*)pa, B = (double*)pb, Y = (double*)py }, y.Pool, a, b, y);
        }
        else if (y.DType == DType.Int64)
        {
            StridedLoop.Run(y.Shape, new Longs<F> { A = (long*)pa, B = (long*)pb, Y = (long*)py }, y.Pool, a, b, y);
        }
        else
        {
            throw new NotSupportedException($"arithmetic on {y.DType} runs in float32 or int64: convert first");
        }
    }

    private struct Doubles<F> : IInnerLoop where F : struct, IBinary
    {
        public double* A, B, Y;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                Y[offset[2] + i * stride[2]] = F.Apply(A[offset[0] + i * stride[0]], B[offset[1] + i * stride[1]]);
            }
        }
    }

    private struct Longs<F> : IInnerLoop where F : struct, IBinary
    {
        public long* A, B, Y;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                Y[offset[2] + i * stride[2]] = F.Apply(A[offset[0] + i * stride[0]], B[offset[1] + i * stride[1]]);
            }
        }
    }

    private struct Floats<F> : IInnerLoop where F : struct, IBinary
    {
        public float* A, B, Y;

        public void Run(long* offset, long* stride, long n)
        {
            float* a = A + offset[0], b = B + offset[1], y = Y + offset[2];
            if (stride[2] == 1 && stride[0] is 0 or 1 && stride[1] is 0 or 1)
            {
                var dense = new Dense<F> { A = a, B = b, Y = y, N = n, StepA = stride[0], StepB = stride[1] };
                Isa.Run(ref dense);
                return;
            }
            for (long i = 0; i < n; i++)
            {
                y[i * stride[2]] = F.Apply<SimdScalar, float>(a[i * stride[0]], b[i * stride[1]]);
            }
        }
    }

    private struct Dense<F> : IKernel where F : struct, IBinary
    {
        public float* A, B, Y;
        public long N, StepA, StepB;

        public void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            float* a = A, b = B, y = Y;
            long i = 0, n = N;
            if (StepA == 1 && StepB == 1)
            {
                for (; i <= n - S.Width; i += S.Width)
                {
                    S.Store(y + i, F.Apply<S, V>(S.Load(a + i), S.Load(b + i)));
                }
            }
            else if (StepA == 1)
            {
                V vb = S.Splat(*b);
                for (; i <= n - S.Width; i += S.Width)
                {
                    S.Store(y + i, F.Apply<S, V>(S.Load(a + i), vb));
                }
            }
            else if (StepB == 1)
            {
                V va = S.Splat(*a);
                for (; i <= n - S.Width; i += S.Width)
                {
                    S.Store(y + i, F.Apply<S, V>(va, S.Load(b + i)));
                }
            }
            for (; i < n; i++)
            {
                y[i] = F.Apply<SimdScalar, float>(a[i * StepA], b[i * StepB]);
            }
        }
    }
}
