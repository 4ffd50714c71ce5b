namespace Banyan.Cpu;

/// <summary>
/// Sums over one dimension. The order is fixed: elements i, i + 16, i + 32, ... in 16 running sums, which are then added pairwise, so that
/// the result does not depend on the layout, the vector width or the number of threads.
/// </summary>
internal static unsafe class SumLoop
{
    private const int Lanes = 16;

    /// <summary>y = sum of x over <paramref name="axis"/>, which has size 1 in y. float32, float64 or int64, both the same.</summary>
    public static void Run(Tensor x, Tensor y, int axis)
    {
        if (y.Device.IsMeta)
        {
            return;
        }
        byte* px = x.Body.Storage!.Pointer, py = y.Body.Storage!.Pointer;
        // The loop walks y's elements; x takes part with its first element along the axis.
        Tensor first = x.AsView(y.Shape, x.Strides, x.Body.Offset);
        long n = x.Shape[axis], step = x.Strides[axis];
        if (x.DType == DType.Float32)
        {
            StridedLoop.Run(y.Shape, new Floats { X = (float*)px, Y = (float*)py, N = n, Step = step }, y.Pool, first, y);
        }
        else if (x.DType == DType.Float64)
        {
            StridedLoop.Run(y.Shape, new Doubles { X = (double*)px, Y = (double*)py, N = n, Step = step }, y.Pool, first, y);
        }
        else
        {
            StridedLoop.Run(y.Shape, new Longs { X = (long*)px, Y = (long*)py, N = n, Step = step }, y.Pool, first, y);
        }
        GC.KeepAlive(x);
    }

    private struct Floats : IInnerLoop
    {
        public float* X, Y;
        public long N, Step;

        public void Run(long* offset, long* stride, long n)
        {
            float* lanes = stackalloc float[Lanes];
            for (long i = 0; i < n; i++)
            {
                Y[offset[1] + i * stride[1]] = SumOne(X + offset[0] + i * stride[0], lanes);
            }
        }

        private readonly float SumOne(float* x, float* lanes)
        {
            new Span<float>(lanes, Lanes).Clear();
            for (long k = 0; k < N; k++)
            {
                lanes[k % Lanes] += x[k * Step];
            }
            for (int half = Lanes / 2; half > 0; half /= 2)
            {
                for (int j = 0; j < half; j++)
                {
                    lanes[j] += lanes[j + half];
                }
            }
            return lanes[0];
        }
    }

    private struct Doubles : IInnerLoop
    {
        public double* X, Y;
        public long N, Step;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                double sum = 0;
                for (long k = 0; k < N; k++)
                {
                    sum += X[offset[0] + i * stride[0] + k * Step];
                }
                Y[offset[1] + i * stride[1]] = sum;
            }
        }
    }

    private struct Longs : IInnerLoop
    {
        public long* X, Y;
        public long N, Step;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                long sum = 0;
                for (long k = 0; k < N; k++)
                {
                    sum += X[offset[0] + i * stride[0] + k * Step];
                }
                Y[offset[1] + i * stride[1]] = sum;
            }
        }
    }
}
