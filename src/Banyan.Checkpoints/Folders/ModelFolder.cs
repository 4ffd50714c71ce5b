using System.Diagnostics.CodeAnalysis;

namespace Banyan.Checkpoints;

/// <summary>
/// A folder in Hugging Face form as one lazily mapped checkpoint: <c>config.json</c>, <c>model.safetensors</c> or shards with
/// <c>model.safetensors.index.json</c>, or the older <c>pytorch_model.bin</c> in one file or shards, and where present <c>generation_config.json</c> and <c>tokenizer.json</c>.
/// </summary>
public sealed class ModelFolder : IModelReader
{
    private const string SingleFile = "model.safetensors", PytorchSingle = "pytorch_model.bin", PytorchIndex = "pytorch_model.bin.index.json";

    private readonly Dictionary<string, ICheckpointReader> _fileOf = [];
    private readonly List<ICheckpointReader> _files = [];
    private readonly List<string> _names = [];

    private ModelFolder(string path) => Path = path;

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Path of <c>tokenizer.json</c>, or null.</summary>
    public string? TokenizerPath => Existing("tokenizer.json");

    /// <summary>Opens a folder: maps its files and checks their headers and the index.</summary>
    /// <exception cref="CheckpointException">There are no weights, or a file or the index is damaged.</exception>
    public static ModelFolder Open(string path)
    {
        var folder = new ModelFolder(path);
        try
        {
            folder.OpenFiles();
            Mxfp4Tensor.Join(folder._names, folder._fileOf);
            if (folder.Existing("config.json") is { } config && ConfigReader.Open(config).GetOptionalObject("quantization_config") is { } quantization)
            {
                Quantized.QuantizedWeights.Join(quantization, folder._names, folder._fileOf);
            }
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ConfigReader ReadConfig() => ConfigReader.Open(System.IO.Path.Combine(Path, "config.json"));

    /// <summary>Reads <c>generation_config.json</c>, or gives null where there is none.</summary>
    public ConfigReader? ReadGenerationConfig() => Existing("generation_config.json") is { } file ? ConfigReader.Open(file) : null;

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        entry = null;
        return _fileOf.TryGetValue(name, out ICheckpointReader? file) && file.TryGet(name, out entry);
    }

    /// <inheritdoc/>
    public TensorBytes Map(string name)
    {
        this.Get(name);
        return _fileOf[name].Map(name);
    }

    /// <summary>Ends the mappings, each once its last <see cref="TensorBytes"/> is disposed too.</summary>
    public void Dispose() => _files.ForEach(f => f.Dispose());

    private string? Existing(string name) => System.IO.Path.Combine(Path, name) is var file && File.Exists(file) ? file : null;

    private void OpenFiles()
    {
        // Like transformers, the single file wins where both are there.
        if (Existing(SingleFile) is { } single)
        {
            AddFile(single, null);
        }
        else if (Existing(ShardIndex.FileName) is { } index)
        {
            OpenShards(index);
        }
        else if (Existing(PytorchSingle) is { } pytorch)
        {
            AddFile(pytorch, null);
        }
        else if (Existing(PytorchIndex) is { } pytorchIndex)
        {
            OpenShards(pytorchIndex);
        }
        else
        {
            throw new CheckpointException(Path, $"none of {SingleFile}, {ShardIndex.FileName}, {PytorchSingle} and {PytorchIndex} is there; is this a model folder?");
        }
    }

    private void OpenShards(string indexPath)
    {
        ShardIndex index = ShardIndex.Read(indexPath);
        foreach (IGrouping<string, KeyValuePair<string, string>> shard in index.WeightMap.GroupBy(p => p.Value).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            string file = Existing(shard.Key) ?? throw new CheckpointException(indexPath, $"the shard {CheckpointException.Quote(shard.Key)} is not in the folder");
            AddFile(file, [.. shard.Select(p => p.Key)]);
        }
    }

    private void AddFile(string path, HashSet<string>? listed)
    {
        ICheckpointReader file = path.EndsWith(".bin", StringComparison.Ordinal) ? PytorchFile.Open(path) : SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (string name in file.Names.Where(n => listed?.Remove(n) ?? true))
        {
            _fileOf.Add(name, file); // an index names each tensor once, so names cannot collide
            _names.Add(name);
        }
        if (listed?.FirstOrDefault() is { } missing)
        {
            throw new CheckpointException(path, $"the index says that tensor {CheckpointException.Quote(missing)} is in this file; it is not");
        }
    }
}
