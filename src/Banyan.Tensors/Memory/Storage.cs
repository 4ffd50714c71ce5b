namespace Banyan.Memory;

/// <summary>
/// The bytes behind one tensor and its views, counted by reference. Storage of a scope goes back to the scope's <see cref="MemoryPool"/>;
/// storage outside any scope is freed by its finalizer when no tensor holds it any more.
/// </summary>
internal sealed unsafe class Storage
{
    private readonly MemoryPool? _pool;
    private readonly object? _keepAlive;
    private readonly bool _borrowed;
    private int _references;

    /// <summary>A block of a pool, or (without one) memory of its own.</summary>
    public Storage(byte* pointer, long bytes, MemoryPool? pool)
    {
        Pointer = pointer;
        Bytes = bytes;
        _pool = pool;
        if (pool is not null)
        {
            GC.SuppressFinalize(this);
        }
    }

    /// <summary>Memory that something else owns and keeps, such as a mapped file.</summary>
    public Storage(byte* pointer, long bytes, object owner)
    {
        Pointer = pointer;
        Bytes = bytes;
        _keepAlive = owner;
        _borrowed = true;
        GC.SuppressFinalize(this);
    }

    ~Storage()
    {
        NativePages.Free(Pointer, Bytes);
        GC.RemoveMemoryPressure(Bytes);
    }

    /// <summary>Storage of its own, outside any pool; zeroed.</summary>
    public static Storage Own(long bytes)
    {
        long rounded = Math.Max((bytes + 63) / 64 * 64, 64);
        GC.AddMemoryPressure(rounded);
        return new Storage(NativePages.Allocate(rounded), rounded, pool: null);
    }

    public byte* Pointer { get; }

    public long Bytes { get; }

    /// <summary>Counts in-place updates, so that a saved value that was overwritten is noticed.</summary>
    public int Version { get; set; }

    /// <summary>True for memory that must not be written (a mapped file).</summary>
    public bool IsReadOnly => _borrowed;

    public object? Owner => _keepAlive;

    public void AddReference() => _references++;

    public void Release()
    {
        if (--_references == 0)
        {
            _pool?.Return(this);
        }
    }
}
