using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json.Nodes;
using Banyan.Checkpoints.Gguf;
using Banyan.Quant;

namespace Banyan.Checkpoints;

/// <summary>
/// A GGUF file as a model under Hugging Face's names: configuration and tensors are translated as llama.cpp's converter translates them, backwards. Tensors that lie in the file as
/// they are asked for are mapped; those in another order, and block types (as float32), are computed when they are read.
/// </summary>
public sealed class GgufModel : IModelReader, IBlockReader
{
    private readonly OrderedDictionary<string, (TensorEntry Entry, DerivedTensor Tensor)> _tensors = [];

    private GgufModel(GgufFile file)
    {
        File = file;
        GgufFamily family = GgufFamilies.Of(file);
        Config = BuildConfig(family);
        foreach (TensorRule rule in family.Tensors(ReadConfig()).Where(r => r.Gguf.All(n => file.TryGet(n, out _))))
        {
            Add(rule);
        }
    }

    /// <summary>The file with its own names and metadata.</summary>
    public GgufFile File { get; }

    /// <summary>The text of <c>config.json</c>.</summary>
    public string Config { get; }

    /// <inheritdoc/>
    public string Path => File.Path;

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => _tensors.Keys;

    /// <summary>Opens a file, or a split file by any of its parts.</summary>
    /// <exception cref="CheckpointException">The file is damaged, its architecture unknown, or metadata is missing.</exception>
    public static GgufModel Open(string path)
    {
        GgufFile file = GgufFile.Open(path);
        try
        {
            return new GgufModel(file);
        }
        catch (Exception e)
        {
            file.Dispose();
            // Metadata that contradicts the tensors shows itself where shapes are derived.
            throw e is OverflowException or ArithmeticException or IndexOutOfRangeException or NullReferenceException or InvalidOperationException
                ? new CheckpointException(path, $"metadata and tensors contradict each other ({e.Message})", e)
                : e is CheckpointException ? e : new CheckpointException(path, e.Message, e);
        }
    }

    /// <inheritdoc/>
    public ConfigReader ReadConfig() => ConfigReader.Parse(Encoding.UTF8.GetBytes(Config), Path);

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        entry = _tensors.TryGetValue(name, out var found) ? found.Entry : null;
        return entry is not null;
    }

    /// <inheritdoc/>
    public unsafe TensorBytes Map(string name)
    {
        TensorEntry entry = this.Get(name);
        DerivedTensor tensor = _tensors[name].Tensor;
        if (tensor.IsCopy && File.Get(tensor.Sources[0]).Type == entry.Type)
        {
            return File.Map(tensor.Sources[0]);
        }
        using var buffer = new Cpu.NativeBuffer(entry.ByteCount);
        nint at = (nint)buffer.Floats;
        tensor.Write(File, entry.Type, bytes =>
        {
            bytes.Span.CopyTo(new Span<byte>((void*)at, bytes.Length));
            at += bytes.Length;
        });
        return new TensorBytes(buffer, 0, entry.ByteCount); // which keeps the memory
    }

    /// <inheritdoc/>
    public unsafe Tensor? MapBlocks(string name)
    {
        TensorEntry entry = this.Get(name);
        DerivedTensor tensor = _tensors[name].Tensor;
        if (BlockFormats.FromName(File.Get(tensor.Sources[0]).Type.Name)?.DType is not { } type || tensor.MapRows(File, type) is not { } bytes)
        {
            return null;
        }
        return Tensor.Borrow((byte*)bytes.Pointer, new Shape(entry.Shape), type, bytes);
    }

    /// <summary>Whether a tensor is stored in blocks: <see cref="Map"/> gives it as float32, <see cref="MapBlocks"/> as it is.</summary>
    /// <param name="name">The tensor, under Hugging Face's name.</param>
    public bool IsQuantized(string name)
    {
        this.Get(name);
        return File.Get(_tensors[name].Tensor.Sources[0]).Type.DType is null;
    }

    /// <summary>Bytes that a tensor takes in the file.</summary>
    /// <param name="name">The tensor, under Hugging Face's name.</param>
    public long StoredBytes(string name)
    {
        StoredType type = File.Get(_tensors[name].Tensor.Sources[0]).Type;
        long elements = this.Get(name).ElementCount;
        return elements % type.BlockElements == 0 ? type.ByteCount(elements) : this.Get(name).ByteCount;
    }

    /// <summary>Computes the bytes of a tensor in a type and hands them over piece by piece, in order.</summary>
    /// <param name="name">The tensor, under Hugging Face's name.</param>
    /// <param name="type">The type to write.</param>
    /// <param name="write">Gets the pieces.</param>
    /// <param name="cancellation">Stops between pieces.</param>
    /// <exception cref="CheckpointException">There is no such tensor.</exception>
    public void Write(string name, StoredType type, Action<ReadOnlyMemory<byte>> write, CancellationToken cancellation = default)
    {
        this.Get(name);
        _tensors[name].Tensor.Write(File, type, write, cancellation);
    }

    /// <summary>Ends the mapping, once the last <see cref="TensorBytes"/> is disposed too.</summary>
    public void Dispose() => File.Dispose();

    private void Add(TensorRule rule)
    {
        long[][] parts = [.. rule.Gguf.Select(n => File.Get(n).Shape.ToArray())];
        long[] shape = rule.HfShape(parts);
        long rows = rule.RowsOf(shape), all = rows * rule.Hf.Length;
        StoredType stored = File.Get(rule.Gguf[0]).Type;
        StoredType type = stored.DType is null || (rule.Each is not null && stored.DType.IsFloat) ? StoredType.From(DType.Float32) : stored;
        bool[] transposed = [.. rule.Gguf.Select((_, part) => rule.Transposed(part))];
        for (int i = 0; i < rule.Hf.Length; i++)
        {
            long first = i * rows;
            var tensor = new DerivedTensor
            {
                Sources = rule.Gguf, Shape = shape, TransposedSources = transposed.Contains(true) ? transposed : null, Transposed = rule.HfTransposed, ByElement = rule.ByElement, Each = rule.Each?.ToHf,
                Rows = rule.Rows is { } order
                    ? () => RowOrders.Invert(rule.Gguf.Select((_, part) => order(part, all, shape)), all)[(int)first..(int)(first + rows)]
                    : rule.Hf.Length > 1 ? () => [.. RowOrders.Range(first, rows)] : null,
            };
            _tensors.TryAdd(rule.Hf[i], (new TensorEntry(rule.Hf[i], type, shape), tensor)); // the first rule is the more exact one
        }
    }

    private string BuildConfig(GgufFamily family)
    {
        GgufMetadata metadata = File.Metadata;
        var json = new JsonObject { ["architectures"] = new JsonArray(family.HfArchitecture), ["model_type"] = family.ModelType };
        json["vocab_size"] = File.Get("token_embd.weight").Shape[0];
        json["tie_word_embeddings"] = !File.TryGet("output.weight", out _);
        foreach (GgufKey key in family.Keys.Where(k => metadata.Has($"{family.Architecture}.{k.Name}")))
        {
            key.Read(json, metadata, $"{family.Architecture}.{key.Name}");
        }
        foreach ((string hf, string gguf) in new[] { ("bos_token_id", "bos"), ("eos_token_id", "eos"), ("pad_token_id", "padding") })
        {
            if (metadata.Has($"tokenizer.ggml.{gguf}_token_id"))
            {
                json[hf] = metadata.GetLong($"tokenizer.ggml.{gguf}_token_id");
            }
        }
        family.Complete?.Invoke(json, File);
        return json.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true });
    }
}
