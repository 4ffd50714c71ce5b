using System.Diagnostics.CodeAnalysis;

namespace Banyan.Checkpoints;

/// <summary>
/// A memory-mapped Llama in llama2.c's legacy format (https://github.com/karpathy/llama2.c): 7 numbers, then float32 matrices, each kind for
/// all layers. The tensors have their Hugging Face names and order of rows.
/// </summary>
/// <remarks>
/// llama2.c rotates neighbouring pairs (2i, 2i + 1) of a head, Hugging Face pairs (i, i + d/2): the rows of <c>q_proj</c> and <c>k_proj</c> are
/// reordered when they are read, everything else is the mapped file itself. The two rotary tables in the file are not used.
/// </remarks>
public sealed class Llama2cFile : IModelReader
{
    private readonly MappedFile _file;
    private readonly Llama2cHeader _header;
    private readonly OrderedDictionary<string, TensorEntry> _entries = [];
    private long _end = Llama2cHeader.ByteCount;

    private Llama2cFile(MappedFile file)
    {
        _file = file;
        _header = Llama2cHeader.Read(file);
        try
        {
            Lay();
        }
        catch (OverflowException)
        {
            _end = long.MaxValue;
        }
        if (_end != file.Length)
        {
            throw new CheckpointException(file.Path, $"has {file.Length} bytes; expected {_end} by its header ({_header}) (cut short, or no llama2.c file?)");
        }
    }

    /// <inheritdoc/>
    public string Path => _file.Path;

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => _entries.Keys;

    /// <summary>Opens a file.</summary>
    /// <exception cref="CheckpointException">The file is missing, damaged or no llama2.c file.</exception>
    public static Llama2cFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            return new Llama2cFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ConfigReader ReadConfig() => _header.ToConfig(Path);

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out TensorEntry? entry) => _entries.TryGetValue(name, out entry);

    /// <inheritdoc/>
    public TensorBytes Map(string name)
    {
        TensorEntry entry = this.Get(name);
        TensorBytes stored = _file.Window(entry.Offset, entry.ByteCount);
        if (!name.EndsWith("q_proj.weight", StringComparison.Ordinal) && !name.EndsWith("k_proj.weight", StringComparison.Ordinal))
        {
            return stored;
        }
        using (stored)
        {
            return HalfSplit(stored, entry);
        }
    }

    /// <summary>Ends the mapping, once the last <see cref="TensorBytes"/> is disposed too.</summary>
    public void Dispose() => _file.Dispose();

    private void Lay()
    {
        (int d, int kv, int hidden) = (_header.HiddenSize, _header.KeyValueSize, _header.IntermediateSize);
        Add("model.embed_tokens.weight", _header.VocabSize, d);
        AddLayers("input_layernorm", d);
        AddLayers("self_attn.q_proj", d, d);
        AddLayers("self_attn.k_proj", kv, d);
        AddLayers("self_attn.v_proj", kv, d);
        AddLayers("self_attn.o_proj", d, d);
        AddLayers("post_attention_layernorm", d);
        AddLayers("mlp.gate_proj", hidden, d);
        AddLayers("mlp.down_proj", d, hidden);
        AddLayers("mlp.up_proj", hidden, d);
        Add("model.norm.weight", d);
        _end = checked(_end + 4L * _header.MaxPositionEmbeddings * _header.HeadDim); // cosines and sines, half a head each
        if (!_header.TieWordEmbeddings)
        {
            Add("lm_head.weight", _header.VocabSize, d);
        }
    }

    private void AddLayers(string name, params ReadOnlySpan<long> shape)
    {
        for (int layer = 0; layer < _header.NumHiddenLayers; layer++)
        {
            Add($"model.layers.{layer}.{name}.weight", shape);
        }
    }

    private void Add(string name, params ReadOnlySpan<long> shape)
    {
        var entry = new TensorEntry(name, DType.Float32, shape) { Offset = _end };
        _entries.Add(name, entry);
        _end = checked(_end + entry.ByteCount);
    }

    // Row (head, half, i) of the result is row (head, i, half) of the file.
    private unsafe TensorBytes HalfSplit(TensorBytes stored, TensorEntry entry)
    {
        int row = checked((int)entry.RowBytes);
        int headDim = _header.HeadDim;
        using var result = new Cpu.NativeBuffer(entry.ByteCount);
        for (long to = 0; to < entry.Shape[0]; to++)
        {
            (long head, long inHead) = Math.DivRem(to, headDim);
            (long half, long i) = Math.DivRem(inHead, headDim / 2);
            stored.Slice((head * headDim + 2 * i + half) * row, row).CopyTo(new Span<byte>((byte*)result.Floats + to * row, row));
        }
        return new TensorBytes(result, 0, entry.ByteCount);   // which keeps the memory
    }
}
