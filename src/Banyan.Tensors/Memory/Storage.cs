using Banyan.Cpu;
using Banyan.Quant;

namespace Banyan.Memory;

/// <summary>An owner of memory that the operating system can fetch again, as a mapped file.</summary>
internal interface IReclaimable
{
    /// <summary>Lets the system use the pages for something else until they are read again.</summary>
    void Reclaim();
}

/// <summary>
/// The bytes behind one tensor and its views, counted by reference. Storage of a scope goes back to the scope's <see cref="MemoryPool"/>;
/// storage outside any scope is freed by its finalizer when no tensor holds it any more.
/// </summary>
internal sealed unsafe class Storage
{
    private readonly MemoryPool? _pool;
    private readonly object? _keepAlive;
    private readonly bool _borrowed;
    private readonly Lock _lock = new();
    private Dictionary<(long Offset, long Rows, long Columns), object?>? _packed;
    private int _packedVersion;
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

    /// <summary>The matrix of blocks that begins at an element, in the order of the integer kernels: made once for each version. Null where its numbers do not allow it.</summary>
    public BlockPanels? Panels(BlockFormat format, long offset, long rows, long columns, ComputePool pool)
    {
        lock (_lock)
        {
            return (BlockPanels?)(Find(offset, rows, columns, out object? known) ? known : Keep(offset, rows, columns, BlockPanels.Pack(format, Pointer + format.DType.ByteCount(offset), rows, columns, pool)));
        }
    }

    /// <summary>As <see cref="Panels"/>, of plain numbers.</summary>
    public DensePanels? Dense(DType type, long offset, long rows, long columns, ComputePool pool)
    {
        lock (_lock)
        {
            return (DensePanels?)(Find(offset, rows, columns, out object? known) ? known : Keep(offset, rows, columns, DensePanels.Pack(type, Pointer + type.ByteCount(offset), rows, columns, pool)));
        }
    }

    private bool Find(long offset, long rows, long columns, out object? packed)
    {
        if (_packed is null || _packedVersion != Version)
        {
            (_packed, _packedVersion) = ([], Version);
        }
        return _packed.TryGetValue((offset, rows, columns), out packed);
    }

    private object? Keep(long offset, long rows, long columns, object? packed)
    {
        _packed!.Add((offset, rows, columns), packed);
        (_keepAlive as IReclaimable)?.Reclaim();
        return packed;
    }

    public void AddReference() => _references++;

    public void Release()
    {
        if (--_references == 0)
        {
            _pool?.Return(this);
        }
    }
}
