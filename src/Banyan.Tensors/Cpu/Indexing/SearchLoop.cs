using System.Numerics;

namespace Banyan.Cpu;

/// <summary>Binary search in sorted rows.</summary>
internal static unsafe class SearchLoop
{
    /// <summary>
    /// y (rows, M) = how many elements of the same row of sorted (rows, N) come before each of values (rows, M): those that are less, or, to the right of
    /// equals, not greater. All dense; float32, float64 or int64. NaN comes after everything.
    /// </summary>
    public static void Run(Tensor sorted, Tensor values, Tensor y, bool right)
    {
        if (y.Device.IsMeta || y.Count == 0)
        {
            return;
        }
        if (values.DType == DType.Float32)
        {
            Run<float>(sorted, values, y, right);
        }
        else if (values.DType == DType.Float64)
        {
            Run<double>(sorted, values, y, right);
        }
        else
        {
            Run<long>(sorted, values, y, right);
        }
    }

    private static void Run<T>(Tensor sorted, Tensor values, Tensor y, bool right) where T : unmanaged, INumber<T>
    {
        var work = new Work<T>
        {
            Sorted = (T*)sorted.Body.Storage!.Pointer + sorted.Body.Offset,
            Values = (T*)values.Body.Storage!.Pointer + values.Body.Offset,
            Y = (long*)y.Body.Storage!.Pointer + y.Body.Offset,
            N = sorted.Shape[1],
            M = values.Shape[1],
            Right = right,
        };
        y.Pool.For(y.Count, 1024, work);
        GC.KeepAlive(sorted);
        GC.KeepAlive(values);
        GC.KeepAlive(y);
    }

    private struct Work<T> : IParallelBody where T : unmanaged, INumber<T>
    {
        public T* Sorted, Values;
        public long* Y;
        public long N, M;
        public bool Right;

        public readonly void Run(long begin, long end)
        {
            for (long i = begin; i < end; i++)
            {
                T* row = Sorted + i / M * N;
                long low = 0, high = N;
                while (low < high)
                {
                    long middle = low + (high - low) / 2;
                    bool before = Right ? !(row[middle] > Values[i]) : !(row[middle] >= Values[i]);
                    (low, high) = before ? (middle + 1, high) : (low, middle);
                }
                Y[i] = low;
            }
        }
    }
}
