namespace Banyan.Quant;

/// <summary>
/// A way to store a run of numbers together in few bits, as GGUF files do: a block of <see cref="BlockElements"/> numbers takes <see cref="BlockBytes"/> bytes and can be read
/// without its neighbours. The methods here are the definition; faster kernels give the same numbers.
/// </summary>
public abstract class BlockFormat
{
    private protected BlockFormat(string name, uint ggmlType, int blockElements, int blockBytes)
    {
        Name = name;
        GgmlType = ggmlType;
        BlockElements = blockElements;
        BlockBytes = blockBytes;
        DType = DType.Of(this);
    }

    /// <summary>The type of tensors in this format. Rows hold whole blocks.</summary>
    public DType DType { get; }

    /// <summary>ggml's name, for example <c>Q4_K</c>.</summary>
    public string Name { get; }

    /// <summary>ggml's number, which GGUF files hold.</summary>
    public uint GgmlType { get; }

    /// <summary>Numbers in a block.</summary>
    public int BlockElements { get; }

    /// <summary>Bytes of a block.</summary>
    public int BlockBytes { get; }

    /// <summary>Bits that one number takes, scales included.</summary>
    public double BitsPerWeight => 8.0 * BlockBytes / BlockElements;

    /// <summary>Whether <see cref="Quantize"/> is there; IQ formats are only read.</summary>
    public virtual bool CanQuantize => true;

    /// <summary>Reads whole blocks.</summary>
    /// <param name="blocks">The bytes of the blocks.</param>
    /// <param name="values">As many numbers.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    public void Dequantize(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        int count = Count(blocks.Length, values.Length);
        for (int i = 0; i < count; i++)
        {
            Read(blocks.Slice(i * BlockBytes, BlockBytes), values.Slice(i * BlockElements, BlockElements));
        }
    }

    /// <summary>Writes whole blocks.</summary>
    /// <param name="values">Finite numbers.</param>
    /// <param name="blocks">The bytes of as many blocks.</param>
    /// <exception cref="ArgumentException">The lengths do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The format is only read.</exception>
    public void Quantize(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        int count = Count(blocks.Length, values.Length);
        for (int i = 0; i < count; i++)
        {
            Write(values.Slice(i * BlockElements, BlockElements), blocks.Slice(i * BlockBytes, BlockBytes));
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private protected abstract void Read(ReadOnlySpan<byte> block, Span<float> values);

    private protected virtual void Write(ReadOnlySpan<float> values, Span<byte> block) =>
        throw new NotSupportedException($"{Name} is only read; expected one of {string.Join(", ", BlockFormats.All.Where(f => f.CanQuantize))}");

    /// <summary>How the integer kernels hold a matrix of this format; null: it is multiplied as float32.</summary>
    internal virtual PanelShape? Panels => null;

    /// <summary>Takes a block apart into whole numbers, for <see cref="Panels"/>.</summary>
    internal virtual unsafe void Codes(byte* block, BlockCodes* to) => throw new NotSupportedException($"{Name} has no panels");

    private int Count(int bytes, int values) => bytes % BlockBytes == 0 && (long)bytes / BlockBytes * BlockElements == values
        ? bytes / BlockBytes
        : throw new ArgumentException($"{Name}: {bytes} bytes do not hold {values} numbers; {BlockElements} take {BlockBytes} bytes");
}
