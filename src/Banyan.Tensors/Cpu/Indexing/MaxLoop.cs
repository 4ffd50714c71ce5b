using System.Numerics;

namespace Banyan.Cpu;

/// <summary>The largest element along one dimension and its first index; NaN counts as largest.</summary>
internal static unsafe class MaxLoop
{
    /// <summary>values and indices have size 1 along the axis. float32, float64 or int64.</summary>
    public static void Run(Tensor x, Tensor values, Tensor indices, int axis)
    {
        if (values.Device.IsMeta)
        {
            return;
        }
        if (x.DType == DType.Float32)
        {
            Run<float>(x, values, indices, axis);
        }
        else if (x.DType == DType.Float64)
        {
            Run<double>(x, values, indices, axis);
        }
        else
        {
            Run<long>(x, values, indices, axis);
        }
    }

    private static void Run<T>(Tensor x, Tensor values, Tensor indices, int axis) where T : unmanaged, INumber<T>
    {
        Tensor first = x.AsView(values.Shape, x.Strides, x.Body.Offset);
        var body = new Body<T>
        {
            X = (T*)x.Body.Storage!.Pointer,
            Values = (T*)values.Body.Storage!.Pointer,
            Indices = (long*)indices.Body.Storage!.Pointer,
            N = x.Shape[axis],
            Step = x.Strides[axis],
        };
        StridedLoop.Run(values.Shape, body, values.Pool, first, values, indices);
        GC.KeepAlive(x);
    }

    private struct Body<T> : IInnerLoop where T : unmanaged, INumber<T>
    {
        public T* X, Values;
        public long* Indices;
        public long N, Step;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                T* x = X + offset[0] + i * stride[0];
                long best = 0;
                for (long k = 1; k < N && !T.IsNaN(x[best * Step]); k++)
                {
                    best = x[k * Step] > x[best * Step] || T.IsNaN(x[k * Step]) ? k : best;
                }
                Values[offset[1] + i * stride[1]] = x[best * Step];
                Indices[offset[2] + i * stride[2]] = best;
            }
        }
    }
}
