namespace Banyan.Cpu;

/// <summary>
/// A right operand [K, N] copied once into the order in which the micro-kernel reads it: for inference, where weights are multiplied
/// many times.
/// </summary>
/// <remarks>
/// Layout: panels of 2W columns (W floats in a vector of this process), one after the other; inside a panel, for k = 0 .. K-1, 2W
/// adjacent elements. Columns past N are zero. It is no file format: another machine may have another W.
/// </remarks>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private readonly NativeBuffer _buffer;

    internal PackedMatrix(long k, long n)
    {
        K = k;
        N = n;
        long columns = GemmBlocking.TileColumns(Isa.Width);
        _buffer = new NativeBuffer(checked((n + columns - 1) / columns * columns * k * sizeof(float)));
    }

    public long K { get; }

    public long N { get; }

    /// <summary>Bytes held.</summary>
    public long Bytes => _buffer.Bytes;

    internal float* Pointer => _buffer.Floats;

    public void Dispose() => _buffer.Dispose();
}
