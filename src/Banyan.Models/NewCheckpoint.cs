using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Nn;

namespace Banyan.Models;

/// <summary>
/// A model that was never trained, as a checkpoint: each tensor is filled by its initialiser when it is read, so that a model larger than memory can be written. The numbers are
/// those of <see cref="Module.Initialize"/> with the same seed.
/// </summary>
public sealed class NewCheckpoint : IModelReader
{
    private readonly OrderedDictionary<string, (Parameter Parameter, TensorEntry Entry)> _tensors = [];
    private readonly ConfigReader _config;
    private readonly long _seed;
    private readonly bool _zeros;

    /// <summary>Plans a model.</summary>
    /// <param name="config">Its configuration: <c>model_type</c> and what the architecture reads; others are refused.</param>
    /// <param name="path">Where it will be, for names and messages.</param>
    /// <param name="seed">Seed of the numbers. Default: 0.</param>
    /// <param name="type">The type of the numbers: float32, float16 or bfloat16. Default: float32.</param>
    /// <param name="zeros">Zeros instead of random numbers. Default: false.</param>
    /// <exception cref="CheckpointException">A key is unknown, missing or impossible.</exception>
    public NewCheckpoint(ConfigReader config, string path, long seed = 0, DType? type = null, bool zeros = false)
    {
        (Path, _seed, _zeros) = (path, seed, zeros);
        Model model = ModelRegistry.Default.Create(config);
        // Read by loaders and generation rather than by the model.
        _ = (config.GetStrings("architectures"), config.Has("model_type"), config.Has("eos_token_id"), config.Has("bos_token_id"), config.Has("pad_token_id"), config.Has("vocab_size"), config.Has("tie_word_embeddings"));
        config.RefuseUnreadKeys();
        JsonObject json = JsonNode.Parse(config.Json)!.AsObject();
        json["architectures"] ??= new JsonArray(ModelRegistry.Default.ArchitectureOf(config));
        _config = ConfigReader.Parse(Encoding.UTF8.GetBytes(json.ToJsonString()), path);
        foreach ((string name, Parameter p) in model.NamedParameters())
        {
            _tensors.Add(name, (p, new TensorEntry(name, type ?? DType.Float32, p.Shape.Span)));
        }
    }

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => _tensors.Keys;

    /// <inheritdoc/>
    public ConfigReader ReadConfig() => ConfigReader.Parse(Encoding.UTF8.GetBytes(_config.Json), Path);

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        entry = _tensors.TryGetValue(name, out var found) ? found.Entry : null;
        return entry is not null;
    }

    /// <inheritdoc/>
    public TensorBytes Map(string name)
    {
        this.Get(name);
        (Parameter p, TensorEntry entry) = _tensors[name];
        Tensor value = Tensor.Zeros(p.Shape);
        if (!_zeros)
        {
            p.Initializer.Fill(value, _seed, name);
        }
        return TensorBytes.Of(value.To(entry.Type.DType!));
    }

    /// <summary>Nothing is held.</summary>
    public void Dispose()
    {
    }
}
