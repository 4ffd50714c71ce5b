using System.Numerics;

namespace Banyan.Cpu;

/// <summary>How a scatter combines what is at an index with what comes there.</summary>
internal interface IScatter
{
    static abstract T Combine<T>(T at, T source) where T : unmanaged, INumber<T>;
}

internal readonly struct ScatterReplace : IScatter
{
    public static T Combine<T>(T at, T source) where T : unmanaged, INumber<T> => source;
}

internal readonly struct ScatterSum : IScatter
{
    public static T Combine<T>(T at, T source) where T : unmanaged, INumber<T> => at + source;
}

internal readonly struct ScatterProduct : IScatter
{
    public static T Combine<T>(T at, T source) where T : unmanaged, INumber<T> => at * source;
}

internal readonly struct ScatterMax : IScatter
{
    public static T Combine<T>(T at, T source) where T : unmanaged, INumber<T> => T.Max(at, source);
}

internal readonly struct ScatterMin : IScatter
{
    public static T Combine<T>(T at, T source) where T : unmanaged, INumber<T> => T.Min(at, source);
}

/// <summary>
/// x[index[i]] = combination with source[i] along one dimension. What meets at one element comes in the order of the source, whatever the number of
/// threads: each line along the dimension runs in one thread.
/// </summary>
internal static unsafe class ScatterLoop<F> where F : struct, IScatter
{
    /// <summary>index and source have one shape, x at least their size in the other dimensions. float32, float64 or int64; x and source the same.</summary>
    public static void Run(Tensor x, Tensor index, Tensor source, int axis)
    {
        if (x.Device.IsMeta || index.Count == 0)
        {
            return;
        }
        if (x.DType == DType.Float32)
        {
            Run<float>(x, index, source, axis);
        }
        else if (x.DType == DType.Float64)
        {
            Run<double>(x, index, source, axis);
        }
        else
        {
            Run<long>(x, index, source, axis);
        }
    }

    private static void Run<T>(Tensor x, Tensor index, Tensor source, int axis) where T : unmanaged, INumber<T>
    {
        var body = new Body<T>
        {
            X = (T*)x.Body.Storage!.Pointer,
            Source = (T*)source.Body.Storage!.Pointer,
            Index = (long*)index.Body.Storage!.Pointer,
            N = index.Shape[axis],
            Size = x.Shape[axis],
            XStep = x.Strides[axis],
            SourceStep = source.Strides[axis],
            IndexStep = index.Strides[axis],
        };
        Shape lines = index.Shape.With(axis, 1);
        // A piece holds at least 16 lines, so that threads do not share a cache line.
        StridedLoop.RunWeighted(lines, body, Math.Min(body.N, 1024), x.Pool, First(index, lines), First(x, lines), First(source, lines));
        GC.KeepAlive(x);
    }

    private static Tensor First(Tensor t, in Shape lines) => t.AsView(lines, t.Strides, t.Body.Offset);

    private struct Body<T> : IInnerLoop where T : unmanaged, INumber<T>
    {
        public T* X, Source;
        public long* Index;
        public long N, Size, XStep, SourceStep, IndexStep;

        public readonly void Run(long* offset, long* stride, long n)
        {
            // Slice after slice: neighbouring lines are usually neighbours in memory.
            for (long k = 0; k < N; k++)
            {
                long* index = Index + offset[0] + k * IndexStep;
                T* source = Source + offset[2] + k * SourceStep;
                for (long i = 0; i < n; i++)
                {
                    T* x = X + offset[1] + i * stride[1] + GatherLoop.At(index[i * stride[0]], Size) * XStep;
                    *x = F.Combine(*x, source[i * stride[2]]);
                }
            }
        }
    }
}
