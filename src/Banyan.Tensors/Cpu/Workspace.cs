namespace Banyan.Cpu;

/// <summary>
/// Scratch memory of a <see cref="ComputePool"/>: a kernel rents a buffer and gives it back. Buffers only grow, so a repeated step
/// allocates nothing; they are freed with the pool. Several threads may rent at once.
/// </summary>
internal sealed class Workspace : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<NativeBuffer> _free = [];
    private bool _disposed;

    /// <summary>A buffer of at least <paramref name="bytes"/> bytes; contents undefined.</summary>
    public NativeBuffer Rent(long bytes)
    {
        NativeBuffer? buffer = null;
        lock (_lock)
        {
            if (_free.Count > 0)
            {
                buffer = _free[^1];
                _free.RemoveAt(_free.Count - 1);
            }
        }
        if (buffer != null && buffer.Bytes >= bytes)
        {
            return buffer;
        }
        buffer?.Dispose();
        return new NativeBuffer(Math.Max(bytes, 2 << 20));
    }

    /// <summary>Gives a rented buffer back.</summary>
    public void Return(NativeBuffer buffer)
    {
        lock (_lock)
        {
            if (!_disposed)
            {
                _free.Add(buffer);
                return;
            }
        }
        buffer.Dispose();
    }

    /// <summary>Frees the buffers; one that is still rented is freed when it comes back.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _free.ForEach(b => b.Dispose());
            _free.Clear();
        }
    }
}
