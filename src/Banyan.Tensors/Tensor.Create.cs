using Banyan.Memory;

namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>A tensor outside any scope, with zeros.</summary>
    public static Tensor Zeros(in Shape shape, DType? dtype = null) => AllocateUnscoped(shape, dtype ?? DType.Float32, Device.Cpu);

    /// <summary>A tensor outside any scope on the given device, with zeros.</summary>
    public static Tensor Zeros(in Shape shape, DType dtype, Device device) => AllocateUnscoped(shape, dtype, device);

    /// <summary>A tensor outside any scope, every element equal to <paramref name="value"/>.</summary>
    public static Tensor Full(in Shape shape, double value, DType? dtype = null)
    {
        Tensor t = Zeros(shape, dtype);
        t.Fill(value);
        return t;
    }

    /// <summary>A tensor outside any scope with a copy of <paramref name="data"/> (row-major).</summary>
    /// <exception cref="ArgumentException">The number of elements is not that of the shape.</exception>
    public static Tensor From<T>(ReadOnlySpan<T> data, in Shape shape) where T : unmanaged
    {
        Tensor t = AllocateUnscoped(shape, DTypeOf<T>(), Device.Cpu);
        t.CopyFrom(data);
        return t;
    }

    /// <summary>A tensor outside any scope with a copy of <paramref name="data"/> (row-major).</summary>
    public static Tensor From<T>(T[] data, in Shape shape) where T : unmanaged => From((ReadOnlySpan<T>)data, shape);

    /// <summary>A tensor outside any scope with a copy of <paramref name="data"/>, one-dimensional.</summary>
    public static Tensor From<T>(params T[] data) where T : unmanaged => From((ReadOnlySpan<T>)data, [data.Length]);

    /// <summary>A 0-d tensor outside any scope.</summary>
    public static Tensor Scalar(double value, DType? dtype = null) => Full([], value, dtype);

    /// <summary>
    /// A tensor over memory that <paramref name="owner"/> keeps alive (a mapped file). It must not be written in place.
    /// </summary>
    internal static unsafe Tensor Borrow(byte* pointer, in Shape shape, DType dtype, object owner)
    {
        var storage = new Storage(pointer, dtype.ByteCount(shape.Count), owner);
        return WithStorage(storage, shape, dtype, Device.Cpu);
    }

    /// <summary>A tensor with undefined elements, owned by the scope of <paramref name="like"/> (or by none).</summary>
    internal static Tensor Allocate(Tensor like, in Shape shape, DType? dtype = null) =>
        Allocate(like.Scope, shape, dtype ?? like.DType, like.Device);

    /// <summary>A tensor with undefined elements.</summary>
    internal static Tensor Allocate(Scope? scope, in Shape shape, DType dtype, Device device) =>
        scope is null ? AllocateUnscoped(shape, dtype, device) : scope.Allocate(shape, dtype);

    /// <summary>The scope that the result of an operation on both belongs to: the first one's, else the second one's.</summary>
    internal static Scope? ScopeOf(Tensor a, Tensor? b, Tensor? c = null) => a.Scope ?? b?.Scope ?? c?.Scope;

    /// <summary>The element type of a .NET type.</summary>
    /// <exception cref="NotSupportedException">No tensor holds such elements.</exception>
    public static DType DTypeOf<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? DType.Float32
        : typeof(T) == typeof(double) ? DType.Float64
        : typeof(T) == typeof(long) ? DType.Int64
        : typeof(T) == typeof(int) ? DType.Int32
        : typeof(T) == typeof(short) ? DType.Int16
        : typeof(T) == typeof(sbyte) ? DType.Int8
        : typeof(T) == typeof(byte) ? DType.UInt8
        : typeof(T) == typeof(bool) ? DType.Bool
        : typeof(T) == typeof(Half) ? DType.Float16
        : typeof(T) == typeof(BFloat16) ? DType.BFloat16
        : typeof(T) == typeof(Float8E4M3FN) ? DType.Float8E4M3FN
        : typeof(T) == typeof(Float8E5M2) ? DType.Float8E5M2
        : typeof(T) == typeof(Float8E4M3FNUZ) ? DType.Float8E4M3FNUZ
        : typeof(T) == typeof(Float8E5M2FNUZ) ? DType.Float8E5M2FNUZ
        : typeof(T) == typeof(Float8E8M0FNU) ? DType.Float8E8M0FNU
        : throw new NotSupportedException($"no tensor holds elements of the type {typeof(T).Name}");

    private static Tensor AllocateUnscoped(in Shape shape, DType dtype, Device device)
    {
        Storage storage = device.IsMeta ? MetaStorage(dtype.ByteCount(shape.Count)) : Storage.Own(dtype.ByteCount(shape.Count));
        return WithStorage(storage, shape, dtype, device);
    }

    private static unsafe Storage MetaStorage(long bytes) => new(null, bytes, owner: typeof(Device));

    private static Tensor WithStorage(Storage storage, in Shape shape, DType dtype, Device device)
    {
        var body = new TensorBody { Storage = storage, Shape = shape, Strides = shape.RowMajorStrides(), DType = dtype, Device = device, IsContiguous = true };
        storage.AddReference();
        return new Tensor(body);
    }

    /// <summary>
    /// A view of this tensor's storage; gradients do not flow through it (the shape operations record themselves). It belongs to
    /// <paramref name="owner"/>, or to this tensor's scope: a scope recycles views, so those of weights in a loop should be the loop's.
    /// </summary>
    internal Tensor AsView(in Shape shape, in Shape strides, long offset, DType? dtype = null, Scope? owner = null)
    {
        if ((owner ?? Body.Scope) is { } scope)
        {
            return scope.View(Body, shape, strides, offset, dtype ?? DType);
        }
        var body = new TensorBody();
        Layout(body, Body, shape, strides, offset, dtype ?? DType);
        body.Device = Body.Device;
        return new Tensor(body);
    }

    internal static void Layout(TensorBody body, TensorBody of, in Shape shape, in Shape strides, long offset, DType dtype)
    {
        body.Storage = of.Storage;
        body.Storage!.AddReference();
        body.Shape = shape;
        body.Strides = strides;
        body.Offset = offset;
        body.DType = dtype;
        body.IsContiguous = IsDense(shape, strides);
    }

    private static bool IsDense(in Shape shape, in Shape strides)
    {
        long step = 1;
        for (int i = shape.Rank - 1; i >= 0; i--)
        {
            if (shape[i] != 1 && strides[i] != step)
            {
                return shape.Count == 0;
            }
            step *= shape[i];
        }
        return true;
    }
}
