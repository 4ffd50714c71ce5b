using System.Numerics;

namespace Banyan.Memory;

/// <summary>
/// Native memory for the tensors of step scopes. Freed blocks wait in lists by size class, so a training loop that repeats its steps asks
/// the operating system for nothing once it is warm. Not safe for use by two threads at once: one pool belongs to one loop.
/// </summary>
public sealed unsafe class MemoryPool : IDisposable
{
    private const long SegmentBytes = 32L << 20;
    private const int StepsPerDoubling = 8;

    private readonly List<Stack<Storage>?> _free = [];
    private readonly List<(nint Pointer, long Bytes)> _segments = [];
    private byte* _bump;
    private long _bumpLeft;

    /// <summary>Bytes that live tensors hold now.</summary>
    public long CurrentBytes { get; private set; }

    /// <summary>The most that <see cref="CurrentBytes"/> has been since <see cref="ResetPeak"/>.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Bytes taken from the operating system.</summary>
    public long ReservedBytes { get; private set; }

    /// <summary>Bytes of native memory that Banyan holds in this process: those of all pools, of tensors outside scopes, and scratch.</summary>
    public static long ProcessBytes => NativePages.LiveBytes;

    /// <summary>Starts a new measurement of the peak.</summary>
    public void ResetPeak() => PeakBytes = CurrentBytes;

    internal Storage Rent(long bytes)
    {
        (int index, long size) = SizeClass(Math.Max(bytes, 1));
        CurrentBytes += size;
        PeakBytes = Math.Max(PeakBytes, CurrentBytes);
        while (_free.Count <= index)
        {
            _free.Add(null);
        }
        Stack<Storage> list = _free[index] ??= new Stack<Storage>();
        if (list.TryPop(out Storage? reused))
        {
            reused.Version = 0;
            return reused;
        }
        return new Storage(Carve(size), size, this);
    }

    /// <summary>Counts bytes without having them: tensors of the meta device, for a forecast.</summary>
    internal Storage RentNothing(long bytes)
    {
        long size = SizeClass(Math.Max(bytes, 1)).Size;
        CurrentBytes += size;
        PeakBytes = Math.Max(PeakBytes, CurrentBytes);
        return new Storage(null, size, this);
    }

    internal void Return(Storage storage)
    {
        CurrentBytes -= storage.Bytes;
        if (storage.Pointer == null)
        {
            return;
        }
        _free[SizeClass(storage.Bytes).Index]!.Push(storage);
    }

    private byte* Carve(long size)
    {
        if (size > SegmentBytes / 4)
        {
            return Segment(size);
        }
        if (size > _bumpLeft)
        {
            _bump = Segment(SegmentBytes);
            _bumpLeft = SegmentBytes;
        }
        byte* p = _bump;
        _bump += size;
        _bumpLeft -= size;
        return p;
    }

    private byte* Segment(long bytes)
    {
        byte* p = NativePages.Allocate(bytes);
        _segments.Add(((nint)p, bytes));
        ReservedBytes += bytes;
        return p;
    }

    // Eight classes per doubling, in units of 64 bytes: at most 12.5 % of a block is wasted.
    private static (int Index, long Size) SizeClass(long bytes)
    {
        long units = (bytes + 63) / 64;
        if (units <= StepsPerDoubling)
        {
            return ((int)units, units * 64);
        }
        int exponent = BitOperations.Log2((ulong)(units - 1));
        long step = 1L << (exponent - 3);
        long rounded = (units + step - 1) / step * step;
        int within = (int)((rounded - (1L << exponent)) / step);
        return (StepsPerDoubling * (exponent - 2) + within, rounded * 64);
    }

    /// <summary>Gives the memory back. Tensors of the pool must be gone.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    // Every tensor of the pool refers to it: where nobody can reach the pool any more, nobody can reach its memory.
    /// <summary>Gives the memory of a forgotten pool back.</summary>
    ~MemoryPool() => Free();

    private void Free()
    {
        foreach ((nint pointer, long bytes) in _segments)
        {
            NativePages.Free((byte*)pointer, bytes);
        }
        _segments.Clear();
        _free.Clear();
        _bumpLeft = 0;
        ReservedBytes = 0;
    }
}
