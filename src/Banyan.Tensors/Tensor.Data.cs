using System.Runtime.InteropServices;
using Banyan.Cpu;

namespace Banyan;

// The edge where elements enter and leave a tensor.
public sealed partial class Tensor
{
    /// <summary>The elements in row-major order.</summary>
    /// <exception cref="InvalidOperationException"><typeparamref name="T"/> is not the element type.</exception>
    public T[] ToArray<T>() where T : unmanaged
    {
        var array = new T[Count];
        CopyTo(array.AsSpan());
        return array;
    }

    /// <summary>Writes the elements in row-major order into <paramref name="destination"/>, which must be long enough.</summary>
    public unsafe void CopyTo<T>(Span<T> destination) where T : unmanaged
    {
        CheckType<T>();
        CheckReadable();
        if (destination.Length < Count)
        {
            throw new ArgumentException($"{this} has {Count} elements, the destination room for {destination.Length}");
        }
        if (Count == 0)
        {
            return;
        }
        fixed (T* to = destination)
        {
            if (IsContiguous)
            {
                // No borrowed tensor on the path that a generated token takes.
                long bytes = DType.ByteCount(Count);
                Buffer.MemoryCopy(Body.Storage!.Pointer + DType.ByteCount(Body.Offset), to, bytes, bytes);
                GC.KeepAlive(this);
                return;
            }
            // A borrowed view of the destination lets one strided copy serve every layout.
            CopyLoop.Run(this, Borrow((byte*)to, Shape, DType, this));
        }
    }

    /// <summary>Overwrites the elements, in row-major order.</summary>
    /// <exception cref="ArgumentException">The number of elements differs.</exception>
    public unsafe void CopyFrom<T>(ReadOnlySpan<T> source) where T : unmanaged
    {
        CheckType<T>();
        if (source.Length != Count)
        {
            throw new ArgumentException($"{source.Length} elements given for the shape {Shape} of {Count}");
        }
        if (Count == 0)
        {
            return;
        }
        fixed (T* from = source)
        {
            if (IsContiguous && !Device.IsMeta)
            {
                // No borrowed tensor on the path that a training step takes.
                long bytes = DType.ByteCount(Count);
                Buffer.MemoryCopy(from, Body.Storage!.Pointer + DType.ByteCount(Body.Offset), bytes, bytes);
                MarkChanged();
                return;
            }
            CopyFrom(Borrow((byte*)from, Shape, DType, this));
        }
    }

    /// <summary>Overwrites the elements with those of another tensor, converted and broadcast.</summary>
    public void CopyFrom(Tensor source)
    {
        CheckWritable();
        if (Shape.Broadcast(source.Shape, Shape) != Shape)
        {
            throw new ArgumentException($"CopyFrom: {source.Shape} does not broadcast to {Shape}");
        }
        if (source.Device.IsMeta && !Device.IsMeta)
        {
            throw new InvalidOperationException("CopyFrom: a tensor of the meta device has a shape, but no numbers");
        }
        CopyLoop.Run(source, this);
        MarkChanged();
    }

    /// <summary>The only element, as a double.</summary>
    /// <exception cref="InvalidOperationException">There are more elements, or none.</exception>
    public double Item()
    {
        if (Count != 1)
        {
            throw new InvalidOperationException($"Item() needs one element; {this} has {Count}");
        }
        Span<double> one = stackalloc double[1];
        ReadAsDouble(one);
        return one[0];
    }

    private unsafe void ReadAsDouble(Span<double> destination)
    {
        CheckReadable();
        fixed (double* to = destination)
        {
            CopyLoop.Run(this, Borrow((byte*)to, Shape, DType.Float64, this));
        }
    }

    /// <summary>The elements as doubles in row-major order, whatever their type.</summary>
    public double[] ToDoubles()
    {
        var array = new double[Count];
        if (array.Length > 0)
        {
            ReadAsDouble(array);
        }
        return array;
    }

    /// <summary>Sets every element.</summary>
    public void Fill(double value)
    {
        CheckWritable();
        CopyLoop.Fill(this, value);
        MarkChanged();
    }

    /// <summary>Counts an in-place update, so that a recorded operation that reads the old value fails loudly.</summary>
    internal void MarkChanged() => Body.Storage!.Version++;

    internal void CheckWritable()
    {
        if (Body.Storage!.IsReadOnly && !Device.IsMeta)
        {
            throw new InvalidOperationException($"{this} lies in a mapped file and cannot be written; Clone() it");
        }
    }

    private void CheckReadable()
    {
        if (Device.IsMeta)
        {
            throw new InvalidOperationException($"{this} is on the meta device: it has a shape, but no elements to read");
        }
    }

    private void CheckType<T>() where T : unmanaged
    {
        if (DTypeOf<T>() != DType)
        {
            throw new InvalidOperationException($"{this} holds {DType}, not {typeof(T).Name}; convert it with To({DTypeOf<T>()})");
        }
    }
}
