namespace Banyan.Cpu;

/// <summary>y[i] = x[index[i]] along one dimension, for elements of any size. Every element is its own: all of them run in parallel.</summary>
internal static unsafe class GatherLoop
{
    /// <summary>y has the index's shape; x has y's type and at least y's size in the other dimensions.</summary>
    public static void Run(Tensor x, Tensor index, Tensor y, int axis)
    {
        if (y.Device.IsMeta || y.Count == 0)
        {
            return;
        }
        switch (y.DType.BlockBytes)
        {
            case 1: Run<byte>(x, index, y, axis); break;
            case 2: Run<ushort>(x, index, y, axis); break;
            case 4: Run<uint>(x, index, y, axis); break;
            default: Run<ulong>(x, index, y, axis); break;
        }
    }

    private static void Run<T>(Tensor x, Tensor index, Tensor y, int axis) where T : unmanaged
    {
        var body = new Body<T>
        {
            X = (T*)x.Body.Storage!.Pointer,
            Y = (T*)y.Body.Storage!.Pointer,
            Index = (long*)index.Body.Storage!.Pointer,
            Size = x.Shape[axis],
            Step = x.Strides[axis],
        };
        // x takes part with its first slice: the index moves it along the axis.
        StridedLoop.Run(y.Shape, body, y.Pool, index, x.AsView(y.Shape, x.Strides.With(axis, 0), x.Body.Offset), y);
        GC.KeepAlive(x);
    }

    private struct Body<T> : IInnerLoop where T : unmanaged
    {
        public T* X, Y;
        public long* Index;
        public long Size, Step;

        public readonly void Run(long* offset, long* stride, long n)
        {
            T* x = X + offset[1], y = Y + offset[2];
            long* index = Index + offset[0];
            if (stride[0] == 0 && stride[1] == 1 && stride[2] == 1)
            {
                // One index for a whole row.
                Buffer.MemoryCopy(x + At(*index, Size) * Step, y, n * sizeof(T), n * sizeof(T));
                return;
            }
            for (long i = 0; i < n; i++)
            {
                y[i * stride[2]] = x[i * stride[1] + At(index[i * stride[0]], Size) * Step];
            }
        }
    }

    /// <summary>The index, which must lie in [0, size).</summary>
    public static long At(long index, long size)
    {
        if ((ulong)index >= (ulong)size)
        {
            ThrowOutside(index, size);
        }
        return index;
    }

    private static void ThrowOutside(long index, long size) =>
        throw new ArgumentOutOfRangeException(nameof(index), index, $"index {index} is outside of a dimension of {size}");
}
