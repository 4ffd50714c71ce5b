using System.Runtime.InteropServices;

namespace Banyan.Cpu;

/// <summary>Native memory aligned to a page, freed with the handle. Contents start undefined.</summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    private const nuint Alignment = 4096;

    public NativeBuffer(long bytes)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = Math.Max(bytes, 1);
        SetHandle((nint)NativeMemory.AlignedAlloc(checked((nuint)Bytes + Alignment - 1) & ~(Alignment - 1), Alignment));
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
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
