using System.Numerics;

namespace Banyan.Cpu;

/// <summary>The index of the largest (smallest) element so far along one dimension; of equals the latest.</summary>
internal static unsafe class CumMaxLoop
{
    /// <summary>indices (int64) has x's shape; x is float32, float64 or int64.</summary>
    public static void Run(Tensor x, Tensor indices, int axis, bool isMin)
    {
        if (indices.Device.IsMeta || indices.Count == 0)
        {
            return;
        }
        if (x.DType == DType.Float32)
        {
            Run<float>(x, indices, axis, isMin);
        }
        else if (x.DType == DType.Float64)
        {
            Run<double>(x, indices, axis, isMin);
        }
        else
        {
            Run<long>(x, indices, axis, isMin);
        }
    }

    private static void Run<T>(Tensor x, Tensor indices, int axis, bool isMin) where T : unmanaged, INumber<T>
    {
        Shape lines = x.Shape.With(axis, 1);
        var body = new Body<T>
        {
            X = (T*)x.Body.Storage!.Pointer,
            Indices = (long*)indices.Body.Storage!.Pointer,
            N = x.Shape[axis],
            Step = x.Strides[axis],
            IndexStep = indices.Strides[axis],
            IsMin = isMin,
        };
        Tensor first = x.AsView(lines, x.Strides, x.Body.Offset), to = indices.AsView(lines, indices.Strides, indices.Body.Offset);
        StridedLoop.RunWeighted(lines, body, body.N, indices.Pool, first, to);
    }

    private struct Body<T> : IInnerLoop where T : unmanaged, INumber<T>
    {
        public T* X;
        public long* Indices;
        public long N, Step, IndexStep;
        public bool IsMin;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                T* x = X + offset[0] + i * stride[0];
                long* index = Indices + offset[1] + i * stride[1];
                long best = 0;
                for (long k = 0; k < N; k++)
                {
                    T value = x[k * Step], most = x[best * Step];
                    best = T.IsNaN(value) || (!T.IsNaN(most) && (IsMin ? value <= most : value >= most)) ? k : best;
                    index[k * IndexStep] = best;
                }
            }
        }
    }
}
