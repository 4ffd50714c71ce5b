using Banyan.Memory;

namespace Banyan.Cpu;

/// <summary>
/// Scratch memory of attention, owned by whoever calls it: one part that all threads of a call share, and a slot for each thread. It grows to
/// the largest call seen and never shrinks. One call at a time; callers on different pools bring different workspaces.
/// </summary>
internal sealed unsafe class AttentionWorkspace : IDisposable
{
    private const nuint Line = 64;

    private byte* _memory;
    private nuint _bytes;
    private int[] _taken = [];
    private int _slots;
    private nuint _slotBytes;
    private nuint _sharedBytes;
    private byte* _table;
    private nuint _tableBytes;

    /// <summary>Bytes held now, which is the most that any call needed.</summary>
    public long Bytes => (long)(_bytes + _tableBytes);

    /// <summary>The part that the threads of a call share.</summary>
    public byte* Shared => _memory;

    /// <summary>Makes room; what was there is lost.</summary>
    public void Reserve(int slots, nint slotBytes, nint sharedBytes)
    {
        _slots = slots;
        _slotBytes = RoundUp((nuint)slotBytes);
        _sharedBytes = RoundUp((nuint)sharedBytes);
        nuint bytes = checked(_sharedBytes + (nuint)slots * _slotBytes);
        if (_taken.Length < slots)
        {
            _taken = new int[slots];
        }
        Grow(ref _memory, ref _bytes, bytes);
    }

    /// <summary>Memory for the description of a call (its segments and key masks): a place of its own, which <see cref="Reserve"/> leaves alone.</summary>
    public byte* Table(nint bytes)
    {
        Grow(ref _table, ref _tableBytes, (nuint)bytes);
        return _table;
    }

    /// <summary>Takes a slot that no other thread holds.</summary>
    public int Take()
    {
        SpinWait spin = default;
        while (true)
        {
            for (int i = 0; i < _slots; i++)
            {
                if (Volatile.Read(ref _taken[i]) == 0 && Interlocked.CompareExchange(ref _taken[i], 1, 0) == 0)
                {
                    return i;
                }
            }
            spin.SpinOnce();
        }
    }

    /// <summary>The memory of a slot, aligned to a cache line.</summary>
    public byte* Slot(int slot) => _memory + _sharedBytes + (nuint)slot * _slotBytes;

    /// <summary>Gives a slot back.</summary>
    public void Return(int slot) => Volatile.Write(ref _taken[slot], 0);

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    ~AttentionWorkspace() => Free();

    private void Free()
    {
        Free(ref _memory, ref _bytes);
        Free(ref _table, ref _tableBytes);
    }

    private static void Grow(ref byte* memory, ref nuint has, nuint wanted)
    {
        if (wanted > has)
        {
            Free(ref memory, ref has);
            memory = NativePages.Allocate((long)wanted);
            has = wanted;
        }
    }

    private static void Free(ref byte* memory, ref nuint bytes)
    {
        if (memory != null)
        {
            NativePages.Free(memory, (long)bytes);
        }
        memory = null;
        bytes = 0;
    }

    private static nuint RoundUp(nuint bytes) => (bytes + Line - 1) & ~(Line - 1);
}
