using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>Copies and converts elements between any two types and layouts, and fills.</summary>
internal static unsafe class CopyLoop
{
    /// <summary>y = x, converted to y's type; x broadcasts to y's shape.</summary>
    public static void Run(Tensor x, Tensor y)
    {
        if (y.Device.IsMeta)
        {
            return;
        }
        if (x.DType.Format is not null || y.DType.Format is not null)
        {
            BlockRows.Copy(x, y);
            return;
        }
        if (x.DType == y.DType)
        {
            Same(x, y);
            return;
        }
        DType t = x.DType;
        if (t == DType.Float32) From<float>(x, y);
        else if (t == DType.Float64) From<double>(x, y);
        else if (t == DType.BFloat16) From<BFloat16>(x, y);
        else if (t == DType.Float16) From<Half>(x, y);
        else if (t == DType.Int64) From<long>(x, y);
        else if (t == DType.Int32) From<int>(x, y);
        else if (t == DType.Int16) From<short>(x, y);
        else if (t == DType.Int8) From<sbyte>(x, y);
        else if (t == DType.Float8E4M3FN) From<Float8E4M3FN>(x, y);
        else if (t == DType.Float8E5M2) From<Float8E5M2>(x, y);
        else if (t == DType.Float8E4M3FNUZ) From<Float8E4M3FNUZ>(x, y);
        else if (t == DType.Float8E5M2FNUZ) From<Float8E5M2FNUZ>(x, y);
        else if (t == DType.Float8E8M0FNU) From<Float8E8M0FNU>(x, y);
        else From<byte>(x, y);
    }

    /// <summary>Sets every element to <paramref name="value"/>, converted to y's type.</summary>
    public static void Fill(Tensor y, double value)
    {
        if (y.Device.IsMeta)
        {
            return;
        }
        DType t = y.DType;
        if (t == DType.Float32) FillWith(y, (float)value);
        else if (t == DType.Float64) FillWith(y, value);
        else if (t == DType.BFloat16) FillWith(y, (BFloat16)(float)value);
        else if (t == DType.Float16) FillWith(y, (Half)value);
        else if (t == DType.Int64) FillWith(y, (long)value);
        else if (t == DType.Int32) FillWith(y, (int)value);
        else if (t == DType.Bool) FillWith(y, (byte)(value != 0 ? 1 : 0));
        else if (t == DType.Int16) FillWith(y, (short)value);
        else if (t == DType.Int8) FillWith(y, (sbyte)value);
        else if (t == DType.Float8E4M3FN) FillWith(y, (Float8E4M3FN)(float)value);
        else if (t == DType.Float8E5M2) FillWith(y, (Float8E5M2)(float)value);
        else if (t == DType.Float8E4M3FNUZ) FillWith(y, (Float8E4M3FNUZ)(float)value);
        else if (t == DType.Float8E5M2FNUZ) FillWith(y, (Float8E5M2FNUZ)(float)value);
        else if (t == DType.Float8E8M0FNU) FillWith(y, (Float8E8M0FNU)(float)value);
        else FillWith(y, (byte)value);
    }

    private static void FillWith<T>(Tensor y, T value) where T : unmanaged =>
        StridedLoop.Run(y.Shape, new FillBody<T> { Y = (T*)y.Body.Storage!.Pointer, Value = value }, y.Pool, y);

    private struct FillBody<T> : IInnerLoop where T : unmanaged
    {
        public T* Y;
        public T Value;

        public void Run(long* offset, long* stride, long n)
        {
            T* y = Y + offset[0];
            if (stride[0] == 1 && n <= int.MaxValue)
            {
                new Span<T>(y, (int)n).Fill(Value);
                return;
            }
            for (long i = 0; i < n; i++)
            {
                y[i * stride[0]] = Value;
            }
        }
    }

    private static void Same(Tensor x, Tensor y)
    {
        void* px = x.Body.Storage!.Pointer, py = y.Body.Storage!.Pointer;
        switch (x.DType.BlockBytes)
        {
            case 1: StridedLoop.Run(y.Shape, new SameBody<byte> { X = (byte*)px, Y = (byte*)py }, y.Pool, x, y); break;
            case 2: StridedLoop.Run(y.Shape, new SameBody<ushort> { X = (ushort*)px, Y = (ushort*)py }, y.Pool, x, y); break;
            case 4: StridedLoop.Run(y.Shape, new SameBody<uint> { X = (uint*)px, Y = (uint*)py }, y.Pool, x, y); break;
            default: StridedLoop.Run(y.Shape, new SameBody<ulong> { X = (ulong*)px, Y = (ulong*)py }, y.Pool, x, y); break;
        }
    }

    private struct SameBody<T> : IInnerLoop where T : unmanaged
    {
        public T* X, Y;

        public void Run(long* offset, long* stride, long n)
        {
            T* x = X + offset[0], y = Y + offset[1];
            if (stride[0] == 1 && stride[1] == 1)
            {
                Buffer.MemoryCopy(x, y, n * sizeof(T), n * sizeof(T));
                return;
            }
            for (long i = 0; i < n; i++)
            {
                y[i * stride[1]] = x[i * stride[0]];
            }
        }
    }

    private static void From<TX>(Tensor x, Tensor y) where TX : unmanaged
    {
        DType t = y.DType;
        if (t == DType.Float32) Convert<TX, float>(x, y);
        else if (t == DType.Float64) Convert<TX, double>(x, y);
        else if (t == DType.BFloat16) Convert<TX, BFloat16>(x, y);
        else if (t == DType.Float16) Convert<TX, Half>(x, y);
        else if (t == DType.Int64) Convert<TX, long>(x, y);
        else if (t == DType.Int32) Convert<TX, int>(x, y);
        else if (t == DType.Bool) Convert<TX, bool>(x, y);
        else if (t == DType.Int16) Convert<TX, short>(x, y);
        else if (t == DType.Int8) Convert<TX, sbyte>(x, y);
        else if (t == DType.Float8E4M3FN) Convert<TX, Float8E4M3FN>(x, y);
        else if (t == DType.Float8E5M2) Convert<TX, Float8E5M2>(x, y);
        else if (t == DType.Float8E4M3FNUZ) Convert<TX, Float8E4M3FNUZ>(x, y);
        else if (t == DType.Float8E5M2FNUZ) Convert<TX, Float8E5M2FNUZ>(x, y);
        else if (t == DType.Float8E8M0FNU) Convert<TX, Float8E8M0FNU>(x, y);
        else Convert<TX, byte>(x, y);
    }

    private static void Convert<TX, TY>(Tensor x, Tensor y) where TX : unmanaged where TY : unmanaged =>
        StridedLoop.Run(y.Shape, new ConvertBody<TX, TY> { X = (TX*)x.Body.Storage!.Pointer, Y = (TY*)y.Body.Storage!.Pointer }, y.Pool, x, y);

    private struct ConvertBody<TX, TY> : IInnerLoop where TX : unmanaged where TY : unmanaged
    {
        public TX* X;
        public TY* Y;

        public void Run(long* offset, long* stride, long n)
        {
            TX* x = X + offset[0];
            TY* y = Y + offset[1];
            for (long i = 0; i < n; i++)
            {
                y[i * stride[1]] = ElementConvert.To<TX, TY>(x[i * stride[0]]);
            }
        }
    }
}
