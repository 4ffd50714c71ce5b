namespace Banyan.Cpu;

/// <summary>Reads and adds at indices along one dimension, and finds the largest along one. Values are float32, float64 or int64.</summary>
internal static unsafe class GatherLoop
{
    /// <summary>y[i] = x[index[i]] along the axis; y has the index's shape.</summary>
    public static void Gather(Tensor x, Tensor index, Tensor y, int axis) => Run(x, index, y, axis, isAdd: false);

    /// <summary>x[index[i]] += y[i] along the axis, slices in order.</summary>
    public static void ScatterAdd(Tensor x, Tensor index, Tensor y, int axis) => Run(x, index, y, axis, isAdd: true);

    private static void Run(Tensor x, Tensor index, Tensor y, int axis, bool isAdd)
    {
        if (y.Device.IsMeta || index.Count == 0)
        {
            return;
        }
        Shape outer = index.Shape.With(axis, 1);
        var walk = new Walk
        {
            Index = (long*)index.Body.Storage!.Pointer,
            N = index.Shape[axis],
            Size = x.Shape[axis],
            IndexStep = index.Strides[axis],
            XStep = x.Strides[axis],
            YStep = y.Strides[axis],
            IsAdd = isAdd,
        };
        Tensor ix = index.AsView(outer, index.Strides, index.Body.Offset), yx = y.AsView(outer, y.Strides, y.Body.Offset);
        Tensor xx = x.AsView(outer, x.Strides, x.Body.Offset);
        byte* px = x.Body.Storage!.Pointer, py = y.Body.Storage!.Pointer;
        if (y.DType == DType.Float32)
        {
            StridedLoop.Run(outer, new Slices<float> { X = (float*)px, Y = (float*)py, Walk = walk }, y.Pool, ix, xx, yx);
        }
        else if (y.DType == DType.Float64)
        {
            StridedLoop.Run(outer, new Slices<double> { X = (double*)px, Y = (double*)py, Walk = walk }, y.Pool, ix, xx, yx);
        }
        else
        {
            StridedLoop.Run(outer, new Slices<long> { X = (long*)px, Y = (long*)py, Walk = walk }, y.Pool, ix, xx, yx);
        }
        GC.KeepAlive(x);
        GC.KeepAlive(y);
        GC.KeepAlive(index);
    }

    private struct Walk
    {
        public long* Index;
        public long N, Size, IndexStep, XStep, YStep;
        public bool IsAdd;
    }

    private struct Slices<T> : IInnerLoop where T : unmanaged, System.Numerics.INumber<T>
    {
        public T* X, Y;
        public Walk Walk;

        public void Run(long* offset, long* stride, long n)
        {
            for (long i = 0; i < n; i++)
            {
                for (long k = 0; k < Walk.N; k++)
                {
                    long at = Walk.Index[offset[0] + i * stride[0] + k * Walk.IndexStep];
                    if ((ulong)at >= (ulong)Walk.Size)
                    {
                        throw new ArgumentOutOfRangeException(nameof(at), at, $"index {at} is outside of a dimension of {Walk.Size}");
                    }
                    T* x = X + offset[1] + i * stride[1] + at * Walk.XStep, y = Y + offset[2] + i * stride[2] + k * Walk.YStep;
                    if (Walk.IsAdd)
                    {
                        *x += *y;
                    }
                    else
                    {
                        *y = *x;
                    }
                }
            }
        }
    }
}
