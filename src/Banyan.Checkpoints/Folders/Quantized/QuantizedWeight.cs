using System.Diagnostics.CodeAnalysis;

namespace Banyan.Checkpoints.Quantized;

/// <summary>
/// A matrix (out, in) that a folder holds as packed codes with scales under several names. It stands in their place as one tensor of float32, which is computed when it is read.
/// </summary>
internal abstract class QuantizedWeight : ICheckpointReader
{
    private readonly IReadOnlyDictionary<string, ICheckpointReader> _files;
    private readonly string _prefix;
    private TensorEntry? _entry;

    /// <summary>A weight of the layer whose tensors begin with <paramref name="prefix"/>.</summary>
    protected QuantizedWeight(string prefix, IReadOnlyDictionary<string, ICheckpointReader> files)
    {
        (_prefix, _files) = (prefix, files);
        Name = prefix + "weight";
        Names = [Name];
    }

    /// <summary>Its name: the layer's <c>weight</c>.</summary>
    public string Name { get; }

    /// <summary>The tensors that it is made of and those that only describe it, by the ends of their names; they are no tensors of their own.</summary>
    public abstract IReadOnlyList<string> Parts { get; }

    public string Path => _files.Values.First().Path;

    public IReadOnlyList<string> Names { get; }

    protected abstract long[] Shape { get; }

    /// <summary>Computes the numbers, row by row.</summary>
    protected abstract void Decode(Span<float> values, int rows, int columns);

    public bool TryGet(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        entry = name == Name ? _entry ??= new TensorEntry(Name, DType.Float32, Shape) : null;
        return entry is not null;
    }

    public TensorBytes Map(string name)
    {
        TensorEntry entry = this.Get(name);
        var values = new float[checked((int)entry.ElementCount)];
        try
        {
            Decode(values, (int)entry.Shape[0], (int)entry.Shape[1]);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentException or OverflowException or DivideByZeroException)
        {
            throw new CheckpointException(Path, $"the parts of {CheckpointException.Quote(Name)} do not fit each other ({string.Join(", ", Parts.Where(Has).Select(p => Entry(p).ToString()))})", e);
        }
        return TensorBytes.Of(Tensor.From(values, new Shape(entry.Shape)));
    }

    public void Dispose()
    {
        // The files are the folder's.
    }

    /// <summary>Whether the layer has a part.</summary>
    protected bool Has(string part) => _files.ContainsKey(_prefix + part);

    protected TensorEntry Entry(string part) => File(part).Get(_prefix + part);

    /// <summary>A part as float32, whatever type it has.</summary>
    protected float[] Floats(string part) => File(part).LoadTensor(_prefix + part, DType.Float32).ToArray<float>();

    /// <summary>A part of 32-bit words.</summary>
    protected uint[] Words(string part) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(Bytes(part)).ToArray();

    /// <summary>The bytes of a part.</summary>
    protected byte[] Bytes(string part)
    {
        var bytes = new byte[Entry(part).ByteCount];
        File(part).Read(_prefix + part, bytes);
        return bytes;
    }

    /// <summary>The bits from <paramref name="index"/> times <paramref name="bits"/> on of a little-endian stream in every <paramref name="stride"/>th word.</summary>
    protected static int Code(ReadOnlySpan<uint> words, int first, int stride, long index, int bits)
    {
        long bit = index * bits;
        int word = first + checked((int)(bit / 32)) * stride, shift = (int)(bit % 32);
        ulong both = words[word] | (shift + bits > 32 ? (ulong)words[word + stride] << 32 : 0);
        return (int)(both >> shift & ((1UL << bits) - 1));
    }

    private ICheckpointReader File(string part) => _files.TryGetValue(_prefix + part, out ICheckpointReader? file) ? file
        : throw new CheckpointException(Path, $"no tensor {CheckpointException.Quote(_prefix + part)}, which {CheckpointException.Quote(Name)} is made of");
}
