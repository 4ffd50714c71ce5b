using System.Numerics;

namespace Banyan.Cpu;

/// <summary>The first index of the largest (smallest) element along one dimension; NaN counts as the extreme.</summary>
internal static unsafe class ArgMaxLoop
{
    /// <summary>indices (int64) has size 1 along the axis; x is float32, float64 or int64, its axis not empty.</summary>
    public static void Run(Tensor x, Tensor indices, int axis, bool isMin)
    {
        if (indices.Device.IsMeta)
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
        Tensor first = x.AsView(indices.Shape, x.Strides, x.Body.Offset);
        long n = x.Shape[axis];
        var body = new Body<T> { X = (T*)x.Body.Storage!.Pointer, Indices = (long*)indices.Body.Storage!.Pointer, N = n, Step = x.Strides[axis], IsMin = isMin };
        StridedLoop.RunWeighted(indices.Shape, body, n, indices.Pool, first, indices);
        GC.KeepAlive(x);
    }

    private struct Body<T> : IInnerLoop where T : unmanaged, INumber<T>
    {
        public T* X;
        public long* Indices;
        public long N, Step;
        public bool IsMin;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                T* x = X + offset[0] + i * stride[0];
                long* index = Indices + offset[1] + i * stride[1];
                if (typeof(T) == typeof(float) && Step == 1 && N >= 64)
                {
                    var row = new Row { X = (float*)x, N = N, Index = index, IsMin = IsMin };
                    Isa.Run(ref row);
                }
                else
                {
                    *index = Walk(x);
                }
            }
        }

        private readonly long Walk(T* x)
        {
            long best = 0;
            for (long k = 1; k < N && !T.IsNaN(x[best * Step]); k++)
            {
                T value = x[k * Step];
                best = (IsMin ? value < x[best * Step] : value > x[best * Step]) || T.IsNaN(value) ? k : best;
            }
            return best;
        }
    }

    // A contiguous row: first the extreme value, then where it stands.
    private struct Row : IKernel
    {
        public float* X;
        public long* Index;
        public long N;
        public bool IsMin;

        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            float* lanes = stackalloc float[16];
            float best = IsMin ? RowFold<MinReduction>.One<S, V>(X, N, lanes) : RowFold<MaxReduction>.One<S, V>(X, N, lanes);
            bool isNaN = float.IsNaN(best);
            V wanted = S.Splat(best);
            long i = 0;
            for (; !isNaN && i <= N - S.Width && !S.AnyTrue(S.Equal(S.Load(X + i), wanted)); i += S.Width)
            {
            }
            while (isNaN ? !float.IsNaN(X[i]) : X[i] != best)
            {
                i++;
            }
            *Index = i;
        }
    }
}
