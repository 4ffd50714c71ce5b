namespace Banyan.Cpu;

/// <summary>
/// Combines the elements along one dimension. The order is fixed: elements i, i + 16, i + 32, ... in 16 running values, which are then
/// combined pairwise (8 and 8, 4 and 4, ...), so that the result does not depend on the layout, the vector width or the number of threads.
/// More than <see cref="Block"/> elements are cut into blocks of that many, whose results are combined in the same way.
/// </summary>
internal static unsafe class ReduceLoop<R> where R : struct, IReduction
{
    /// <summary>Elements of one block.</summary>
    public const long Block = 64 * 1024;

    /// <summary>y = the combination of x over <paramref name="axis"/>, which has size 1 in y. float32, float64 or int64, both the same.</summary>
    public static void Run(Tensor x, Tensor y, int axis)
    {
        if (y.Device.IsMeta)
        {
            return;
        }
        long n = x.Shape[axis];
        if (n <= Block)
        {
            Reduce(x, y, axis, n);
            return;
        }
        long full = n / Block, rest = n % Block, step = x.Strides[axis];
        Tensor partial = Tensor.Allocate(y, y.Shape.With(axis, full + (rest > 0 ? 1 : 0)));
        Shape starts = y.Shape.With(axis, full);
        Reduce(x.AsView(starts, x.Strides.With(axis, step * Block), x.Body.Offset), Part(partial, starts, axis, 0), axis, Block, step);
        if (rest > 0)
        {
            Reduce(x.AsView(y.Shape, x.Strides, x.Body.Offset + full * Block * step), Part(partial, y.Shape, axis, full), axis, rest, step);
        }
        Run(partial, y, axis);
    }

    private static Tensor Part(Tensor partial, in Shape shape, int axis, long from) =>
        partial.AsView(shape, partial.Strides, partial.Body.Offset + from * partial.Strides[axis]);

    private static void Reduce(Tensor x, Tensor y, int axis, long n) =>
        Reduce(x.AsView(y.Shape, x.Strides, x.Body.Offset), y, axis, n, x.Strides[axis]);

    // The loop walks y's elements; x takes part with its first element along the axis.
    private static void Reduce(Tensor first, Tensor y, int axis, long n, long step)
    {
        byte* px = first.Body.Storage!.Pointer, py = y.Body.Storage!.Pointer;
        long weight = step == 1 ? n : Math.Min(n, ColumnFold<R>.Columns);
        if (y.DType == DType.Float32)
        {
            StridedLoop.RunWeighted(y.Shape, new Floats { X = (float*)px, Y = (float*)py, N = n, Step = step }, weight, y.Pool, first, y);
        }
        else if (y.DType == DType.Float64)
        {
            StridedLoop.RunWeighted(y.Shape, new Doubles { X = (double*)px, Y = (double*)py, N = n, Step = step }, weight, y.Pool, first, y);
        }
        else
        {
            StridedLoop.RunWeighted(y.Shape, new Longs { X = (long*)px, Y = (long*)py, N = n, Step = step }, weight, y.Pool, first, y);
        }
    }

    private struct Floats : IInnerLoop
    {
        public float* X, Y;
        public long N, Step;

        public void Run(long* offset, long* stride, long n)
        {
            float* x = X + offset[0], y = Y + offset[1];
            if (Step != 1 && stride[0] == 1 && stride[1] == 1 && n > 1)
            {
                var columns = new ColumnFold<R> { X = x, Y = y, N = N, Step = Step, Count = n };
                Isa.Run(ref columns);
                return;
            }
            var rows = new RowFold<R> { X = x, Y = y, N = N, Step = Step, Count = n, XStride = stride[0], YStride = stride[1] };
            Isa.Run(ref rows);
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
                double value = R.Start;
                for (long k = 0; k < N; k++)
                {
                    value = R.Combine(value, X[offset[0] + i * stride[0] + k * Step]);
                }
                Y[offset[1] + i * stride[1]] = value;
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
                long value = R.StartLong;
                for (long k = 0; k < N; k++)
                {
                    value = R.Combine(value, X[offset[0] + i * stride[0] + k * Step]);
                }
                Y[offset[1] + i * stride[1]] = value;
            }
        }
    }
}
