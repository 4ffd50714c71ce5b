namespace Banyan.Cpu;

/// <summary>A running value: the next one from the last one and an element. float32 runs in double precision.</summary>
internal interface IScan
{
    static abstract double Start { get; }

    static abstract double Next(double last, double x);

    static abstract long Next(long last, long x);
}

internal readonly struct SumScan : IScan
{
    public static double Start => 0;

    public static double Next(double last, double x) => last + x;

    public static long Next(long last, long x) => last + x;
}

internal readonly struct ProductScan : IScan
{
    public static double Start => 1;

    public static double Next(double last, double x) => last * x;

    public static long Next(long last, long x) => last * x;
}

internal readonly struct LogSumExpScan : IScan
{
    public static double Start => double.NegativeInfinity;

    public static double Next(double last, double x) => Ops.LogAddExp.Apply(last, x);

    public static long Next(long last, long x) => throw new NotSupportedException("logcumsumexp of integers runs in float32");
}

/// <summary>y[i] = the running value over x[0..i] along one dimension (or x[i..], in reverse). Each line runs in one thread, in order.</summary>
internal static unsafe class ScanLoop<F> where F : struct, IScan
{
    /// <summary>x and y have one shape and type: float32, float64 or int64.</summary>
    public static void Run(Tensor x, Tensor y, int axis, bool reverse = false)
    {
        if (y.Device.IsMeta || y.Count == 0)
        {
            return;
        }
        long n = x.Shape[axis], from = reverse ? n - 1 : 0, sign = reverse ? -1 : 1;
        Shape lines = x.Shape.With(axis, 1);
        Tensor a = x.AsView(lines, x.Strides, x.Body.Offset + from * x.Strides[axis]);
        Tensor b = y.AsView(lines, y.Strides, y.Body.Offset + from * y.Strides[axis]);
        long stepX = sign * x.Strides[axis], stepY = sign * y.Strides[axis];
        void* px = x.Body.Storage!.Pointer, py = y.Body.Storage!.Pointer;
        if (y.DType == DType.Float32)
        {
            StridedLoop.RunWeighted(lines, new Floats { X = (float*)px, Y = (float*)py, N = n, StepX = stepX, StepY = stepY }, n, y.Pool, a, b);
        }
        else if (y.DType == DType.Float64)
        {
            StridedLoop.RunWeighted(lines, new Doubles { X = (double*)px, Y = (double*)py, N = n, StepX = stepX, StepY = stepY }, n, y.Pool, a, b);
        }
        else
        {
            StridedLoop.RunWeighted(lines, new Longs { X = (long*)px, Y = (long*)py, N = n, StepX = stepX, StepY = stepY }, n, y.Pool, a, b);
        }
    }

    private struct Floats : IInnerLoop
    {
        public float* X, Y;
        public long N, StepX, StepY;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                float* x = X + offset[0] + i * stride[0], y = Y + offset[1] + i * stride[1];
                double value = F.Start;
                for (long k = 0; k < N; k++)
                {
                    value = F.Next(value, x[k * StepX]);
                    y[k * StepY] = (float)value;
                }
            }
        }
    }

    private struct Doubles : IInnerLoop
    {
        public double* X, Y;
        public long N, StepX, StepY;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                double* x = X + offset[0] + i * stride[0], y = Y + offset[1] + i * stride[1];
                double value = F.Start;
                for (long k = 0; k < N; k++)
                {
                    value = F.Next(value, x[k * StepX]);
                    y[k * StepY] = value;
                }
            }
        }
    }

    private struct Longs : IInnerLoop
    {
        public long* X, Y;
        public long N, StepX, StepY;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                long* x = X + offset[0] + i * stride[0], y = Y + offset[1] + i * stride[1];
                long value = (long)F.Start;
                for (long k = 0; k < N; k++)
                {
                    value = F.Next(value, x[k * StepX]);
                    y[k * StepY] = value;
                }
            }
        }
    }
}
