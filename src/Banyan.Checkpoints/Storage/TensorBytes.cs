using System.Runtime.InteropServices;
using Banyan.Memory;
using Microsoft.Win32.SafeHandles;

namespace Banyan.Checkpoints;

/// <summary>
/// Read-only bytes of one tensor, usually a window into a memory-mapped file. It counts as a reader of that file: the mapping stays until
/// the last window is disposed, also when the file object is disposed before.
/// </summary>
public sealed unsafe class TensorBytes : IDisposable, IReclaimable
{
    private readonly byte* _start;
    private object? _owner; // a SafeHandle that counts its users, or what else keeps the memory

    internal TensorBytes(SafeHandle owner, long offset, long length)
    {
        bool added = false;
        owner.DangerousAddRef(ref added);
        _owner = owner;
        _start = (byte*)owner.DangerousGetHandle() + offset;
        Length = length;
    }

    private TensorBytes(object owner, byte* start, long length)
    {
        _owner = owner;
        _start = start;
        Length = length;
    }

    /// <summary>A window of no bytes: all that an empty file has.</summary>
    internal static TensorBytes Nothing(object owner) => new(owner, null, 0);

    /// <summary>The elements of a tensor in row-major order: its own memory where they lie there so, a copy elsewhere.</summary>
    internal static TensorBytes Of(Tensor tensor)
    {
        if (!tensor.IsContiguous)
        {
            Tensor copy = Tensor.Zeros(tensor.Shape, tensor.DType);
            copy.CopyFrom(tensor);
            tensor = copy;
        }
        return new TensorBytes(tensor, tensor.Body.Storage!.Pointer + tensor.DType.ByteCount(tensor.Body.Offset), tensor.DType.ByteCount(tensor.Count));
    }

    /// <summary>Releases the mapping of a window that was forgotten.</summary>
    ~TensorBytes() => Release();

    /// <summary>Bytes in the window.</summary>
    public long Length { get; }

    /// <summary>Address of the first byte; valid until <see cref="Dispose"/>.</summary>
    public nint Pointer => _owner is null ? throw new ObjectDisposedException(nameof(TensorBytes)) : (nint)_start;

    /// <summary>The bytes as a span; valid until <see cref="Dispose"/>. Throws above 2 GiB: use <see cref="Slice"/> or <see cref="Pointer"/> there.</summary>
    public ReadOnlySpan<byte> Span => Length <= int.MaxValue
        ? new((void*)Pointer, (int)Length)
        : throw new InvalidOperationException($"{Length} bytes do not fit in one span: use Slice or Pointer");

    /// <summary>A part of the window, as a span.</summary>
    public ReadOnlySpan<byte> Slice(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new((byte*)Pointer + offset, length);
    }

    /// <summary>Copies everything to <paramref name="destination"/>, which has exactly the same length.</summary>
    public void CopyTo(Span<byte> destination)
    {
        if (destination.Length != Length)
        {
            throw new ArgumentException($"the destination has {destination.Length} bytes, the tensor {Length}", nameof(destination));
        }
        Span.CopyTo(destination);
    }

    /// <summary>Copies everything to memory of <see cref="Length"/> bytes at <paramref name="destination"/>.</summary>
    public void CopyTo(nint destination) => Buffer.MemoryCopy((void*)Pointer, (void*)destination, Length, Length);

    // Memory of our own would lose what it holds.
    void IReclaimable.Reclaim()
    {
        if (_owner is SafeMemoryMappedViewHandle)
        {
            NativePages.Forget(_start, Length);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release() => (Interlocked.Exchange(ref _owner, null) as SafeHandle)?.DangerousRelease();
}
