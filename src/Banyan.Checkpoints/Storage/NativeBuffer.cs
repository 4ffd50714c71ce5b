using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Banyan.Checkpoints;

/// <summary>Native memory for tensors that are not in the file as they are asked for (permuted, gathered, inflated).</summary>
internal sealed unsafe class NativeBuffer : SafeHandleZeroOrMinusOneIsInvalid
{
    public static readonly NativeBuffer Empty = new(1);

    public NativeBuffer(long length)
        : base(ownsHandle: true)
    {
        Length = length;
        SetHandle((nint)NativeMemory.Alloc((nuint)Math.Max(length, 1)));
    }

    public long Length { get; }

    public Span<byte> Span => new((void*)handle, checked((int)Length));

    public byte* Pointer => (byte*)handle;

    public Span<byte> Slice(long offset, int length) => new((byte*)handle + offset, offset <= Length - length ? length : throw new ArgumentOutOfRangeException(nameof(offset)));

    /// <summary>Hands the memory over: it is freed with the window.</summary>
    public TensorBytes ToWindow()
    {
        var window = new TensorBytes(this, 0, Length);
        Dispose();
        return window;
    }

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
