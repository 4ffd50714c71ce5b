using System.Runtime.InteropServices;
using Banyan.Memory;

namespace Banyan.Cpu;

/// <summary>Native memory, freed with the handle: a cache line's alignment, huge pages from 2 MiB on. Contents start undefined.</summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    public NativeBuffer(long bytes)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = Math.Max(bytes, 1);
        SetHandle((nint)NativePages.Allocate(Bytes));
    }

    public long Bytes { get; }

    public override bool IsInvalid => handle == 0;

    /// <summary>The first element. Valid while the buffer is alive and not disposed: the caller sees to it.</summary>
    public float* Floats
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (float*)handle;
        }
    }

    protected override bool ReleaseHandle()
    {
        NativePages.Free((byte*)handle, Bytes);
        return true;
    }
}
