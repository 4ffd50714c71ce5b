using System.Text.Json;
using System.Text.Json.Nodes;
using Banyan.Checkpoints.Gguf;

namespace Banyan.Checkpoints;

/// <summary>A model under Hugging Face's names as it will be in a GGUF file: hyperparameters, and for each tensor where its numbers come from. Nothing is computed before <see cref="Write"/>.</summary>
public sealed class GgufExport
{
    private static readonly (string Name, uint FileType)[] s_fileTypes =
    [
        ("F32", 0), ("F16", 1), ("Q4_0", 2), ("Q4_1", 3), ("Q8_0", 7), ("Q5_0", 8), ("Q5_1", 9), ("Q2_K", 10), ("Q3_K", 12), ("Q4_K", 15), ("Q5_K", 17), ("Q6_K", 18), ("BF16", 32), ("TQ1_0", 36), ("TQ2_0", 37), ("MXFP4", 38),
    ];

    // Small, or what every token depends on.
    private static readonly string[] s_alwaysExact = ["ffn_gate_inp", "position_embd.", "token_types.", "ssm_conv1d.", "shortconv.conv."];

    // What stands for "to be quantized" until the mixture is known.
    private static readonly StoredType s_any = StoredType.From(DType.Float16);

    private readonly ICheckpointReader _source;
    private readonly GgufExportOptions _options;
    private readonly List<(TensorEntry Entry, DerivedTensor? Tensor, float[]? Values)> _tensors = [];

    private GgufExport(IModelReader source, GgufExportOptions options)
    {
        _source = source;
        ConfigReader config = source.ReadConfig();
        GgufFamily family = GgufFamilies.Of(config);
        StoredType type = options.Mix is null ? TypeOf(options.Type, source) : s_any;
        if (!options.VocabularyOnly)
        {
            AddTensors(family, config, type);
        }
        _options = options;
        Metadata = Describe(family, config, type, options);
        Mix(options);
    }

    // A file of GGUF's own names: everything is kept but the types.
    private GgufExport(GgufFile source, GgufExportOptions options)
    {
        (_source, _options, Metadata) = (source, options, new GgufMetadata(source.Path));
        foreach (string key in source.Metadata.Keys.Where(k => !k.StartsWith("split.", StringComparison.Ordinal)))
        {
            Metadata[key] = source.Metadata[key];
        }
        foreach (TensorEntry entry in source.Names.Select(source.Get))
        {
            long[] shape = [.. entry.Shape];
            StoredType type = ElementCodec.CanDecode(entry.Type) ? Choose(entry.Name, shape, s_any) : entry.Type;
            _tensors.Add((new TensorEntry(entry.Name, type, shape), new DerivedTensor { Sources = [entry.Name], Shape = shape }, null));
        }
        Metadata["general.quantization_version"] = GgufValue.Of(2u);
        Mix(options);
    }

    private void Mix(GgufExportOptions options)
    {
        if (options.Mix is not { } name)
        {
            return;
        }
        var mix = QuantizationMix.Of(name, Tensors, Metadata);
        for (int i = 0; i < _tensors.Count; i++)
        {
            (TensorEntry entry, DerivedTensor? tensor, float[]? values) = _tensors[i];
            if (entry.Type == s_any)
            {
                StoredType type = GgufTypes.All.Values.First(t => t.Name == mix.TypeOf(entry.Name, entry.Shape[^1]));
                _tensors[i] = (new TensorEntry(entry.Name, type, entry.Shape.ToArray()), tensor, values);
            }
        }
        Metadata["general.file_type"] = GgufValue.Of(mix.FileType);
    }

    /// <summary>Keys and values in the order in which they are written. The tokenizer's are added by whoever knows it.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors in the order in which they are written.</summary>
    public IReadOnlyList<TensorEntry> Tensors => [.. _tensors.Select(t => t.Entry)];

    /// <summary>Plans the export of a model.</summary>
    /// <param name="source">The model, which must stay open until it is written.</param>
    /// <param name="options">Type and name; null: the defaults.</param>
    /// <exception cref="CheckpointException">The architecture has no form in GGUF here, or tensors are missing or have no place.</exception>
    /// <exception cref="ArgumentException">The type is none that can be written.</exception>
    public static GgufExport Plan(IModelReader source, GgufExportOptions? options = null) => new(source, options ?? new());

    /// <summary>Plans the same model with other types, a mixture of quantized ones: names, order and metadata, the tokenizer among them, stay.</summary>
    /// <param name="source">The file, which must stay open until the new one is written.</param>
    /// <param name="mix">The mixture: <c>q4_k_m</c>.</param>
    /// <exception cref="ArgumentException">There is no such mixture.</exception>
    public static GgufExport Quantize(GgufFile source, string mix) => new(source, new() { Mix = mix });

    /// <summary>The mixtures of quantized types that there are.</summary>
    public static IEnumerable<string> Mixes => QuantizationMix.Names;

    /// <summary>The name for people of what lies at a path: <c>tiny-llama</c> is Tiny Llama.</summary>
    public static string TitleOf(string path) => ModelName.Title(ModelName.Parse(FolderName(path), 0).Full);

    /// <summary>Writes the file, or its parts: <c>NAME-00001-of-00003.gguf</c> and so on. Each appears complete or not at all.</summary>
    /// <param name="path">Where it will be; parts get their numbers before the ending.</param>
    /// <param name="progress">Told how many bytes of tensors are written.</param>
    /// <param name="cancellation">Stops; a file that is begun does not appear.</param>
    /// <returns>The files, the one with the metadata first.</returns>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public IReadOnlyList<string> Write(string path, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        List<List<(TensorEntry Entry, DerivedTensor? Tensor, float[]? Values)>> parts = Parts();
        long written = 0;
        var files = new List<string>();
        foreach ((int i, var part) in parts.Index())
        {
            files.Add(parts.Count == 1 ? path : $"{System.IO.Path.ChangeExtension(path, null)}-{i + 1:00000}-of-{parts.Count:00000}.gguf");
            using GgufWriter writer = GgufWriter.Create(files[^1], parts.Count == 1 ? Metadata : PartMetadata(i, parts.Count), [.. part.Select(t => t.Entry)]);
            foreach ((TensorEntry entry, DerivedTensor? tensor, float[]? values) in part)
            {
                void Append(ReadOnlyMemory<byte> bytes)
                {
                    writer.Write(entry.Name, bytes.Span);
                    progress?.Report(written += bytes.Length);
                }
                if (values is not null)
                {
                    Append(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
                    continue;
                }
                tensor!.Write(_source, entry.Type, Append, cancellation);
            }
            writer.Commit();
        }
        return files;
    }

    /// <summary>What quantizing did to each tensor in blocks: the root of the mean squared error over that of the mean square.</summary>
    /// <param name="written">The file that <see cref="Write"/> made.</param>
    /// <param name="cancellation">Stops between pieces.</param>
    public IEnumerable<(TensorEntry Tensor, double Error)> Errors(GgufFile written, CancellationToken cancellation = default)
    {
        foreach ((TensorEntry entry, DerivedTensor? tensor, _) in _tensors.Where(t => t.Entry.Type.DType is null && t.Tensor is not null))
        {
            using TensorBytes bytes = written.Map(entry.Name);
            (double error, double size, long at, float[] found) = (0, 0, 0, []);
            tensor!.Write(_source, StoredType.From(DType.Float32), piece =>
            {
                ReadOnlySpan<float> expected = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(piece.Span);
                found = found.Length == expected.Length ? found : new float[expected.Length];
                ElementCodec.Decode(entry.Type, bytes.Slice(entry.Type.ByteCount(at), checked((int)entry.Type.ByteCount(expected.Length))), found);
                for (int i = 0; i < expected.Length; i++)
                {
                    double difference = (double)expected[i] - found[i];
                    (error, size) = (error + difference * difference, size + (double)expected[i] * expected[i]);
                }
                at += expected.Length;
            }, cancellation);
            ((Memory.IReclaimable)bytes).Reclaim();
            yield return (entry, size > 0 ? Math.Sqrt(error / size) : 0);
        }
    }

    private List<List<(TensorEntry Entry, DerivedTensor? Tensor, float[]? Values)>> Parts()
    {
        List<List<(TensorEntry, DerivedTensor?, float[]?)>> parts = [[]];
        long bytes = 0;
        foreach (var tensor in _tensors)
        {
            if (parts[^1].Count > 0 && (parts[^1].Count >= _options.MaxTensorsPerFile || bytes + tensor.Entry.ByteCount > _options.MaxBytesPerFile))
            {
                parts.Add([]);
                bytes = 0;
            }
            parts[^1].Add(tensor);
            bytes += tensor.Entry.ByteCount;
        }
        return parts;
    }

    // The first part has all keys, the others only say which they are.
    private GgufMetadata PartMetadata(int part, int count)
    {
        var metadata = new GgufMetadata(_source.Path);
        foreach (string key in part == 0 ? Metadata.Keys : [])
        {
            metadata[key] = Metadata[key];
        }
        metadata["split.no"] = new GgufValue(GgufValueType.UInt16, checked((ushort)part));
        metadata["split.tensors.count"] = new GgufValue(GgufValueType.Int32, _tensors.Count);
        metadata["split.count"] = new GgufValue(GgufValueType.UInt16, checked((ushort)count));
        return metadata;
    }

    private static StoredType TypeOf(string name, IModelReader source)
    {
        if (name == "auto")
        {
            bool isBf16 = source.Names.Select(source.Get).FirstOrDefault(e => e.Shape.Length > 1) is { } first && first.Type.DType == DType.BFloat16;
            return StoredType.From(isBf16 ? DType.BFloat16 : DType.Float16);
        }
        string upper = name.ToUpperInvariant();
        return GgufTypes.All.Values.FirstOrDefault(t => t.Name == upper && ElementCodec.CanEncode(t))
            ?? throw new ArgumentException($"{name} is no type that can be written; expected auto or one of {string.Join(", ", GgufTypes.All.Values.Where(ElementCodec.CanEncode).Select(t => t.Name.ToLowerInvariant()))}");
    }

    private void AddTensors(GgufFamily family, ConfigReader config, StoredType type)
    {
        HashSet<string> unread = [.. _source.Names.Where(n => !family.IsRedundant(n))], written = [];
        bool tied = config.GetBool("tie_word_embeddings", false);
        foreach (TensorRule rule in family.Tensors(config))
        {
            string?[] sources = [.. rule.Hf.Select(n => Find(n, family))];
            if (sources.All(s => s is null))
            {
                continue;
            }
            if (Array.IndexOf(sources, null) is >= 0 and int missing)
            {
                throw new CheckpointException(_source.Path, $"no tensor {CheckpointException.Quote(rule.Hf[missing])}, which belongs to {rule.Hf[0]}");
            }
            unread.ExceptWith(sources!);
            if (!(tied && rule.Gguf[0] == "output.weight"))
            {
                Add(rule, sources!, type, IsMxfp4(config), written);
            }
        }
        foreach ((string name, float[] values) in family.Generated(config))
        {
            _tensors.Insert(0, (new TensorEntry(name, StoredType.From(DType.Float32), [values.Length]), null, values));
        }
        if (unread.FirstOrDefault() is { } extra)
        {
            throw new CheckpointException(_source.Path, $"holds the tensor {CheckpointException.Quote(extra)}, which has no place in GGUF's {family.Architecture}");
        }
    }

    // Folders of a bare model lack the first part of the names, those of a model with another head have one more.
    private string? Find(string name, GgufFamily family) => new[] { name, name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..], $"{family.ModelType}.{name}" }
        .Concat(family.Same(name)).FirstOrDefault(n => _source.TryGet(n, out _));

    // Experts that the folder holds in MXFP4 stay so.
    private static bool IsMxfp4(ConfigReader config) => config.GetOptionalObject("quantization_config") is { } quantization && quantization.GetString("quant_method", "") == "mxfp4";

    private void Add(TensorRule rule, string[] sources, StoredType type, bool mxfp4, HashSet<string> written)
    {
        long[][] shapes = [.. sources.Select(s => _source.Get(s).Shape.ToArray())];
        long all = shapes.Sum(rule.RowsOf);
        for (int part = 0; part < rule.Gguf.Length; part++)
        {
            string name = rule.Gguf[part];
            if (!written.Add(name))
            {
                continue; // the first rule is the more exact one
            }
            int p = part;
            long[] shape = rule.GgufShape(shapes, part);
            var tensor = new DerivedTensor
            {
                Sources = sources, Shape = shape, TransposedSources = rule.HfTransposed ? [.. sources.Select(_ => true)] : null, Transposed = rule.Transposed(part), ByElement = rule.ByElement, Each = rule.Each?.ToGguf,
                Rows = rule.Rows is { } order ? () => order(p, all, shapes[0]) : null,
            };
            StoredType stored = mxfp4 && name.EndsWith("_exps.weight", StringComparison.Ordinal) ? GgufTypes.All.Values.First(t => t.Name == "MXFP4") : Choose(name, shape, type);
            _tensors.Add((new TensorEntry(name, stored, shape), tensor, null));
        }
    }

    private static StoredType Choose(string name, long[] shape, StoredType type)
    {
        bool isExact = shape.Length < 2 || !name.EndsWith(".weight", StringComparison.Ordinal) || name.EndsWith("_norm.weight", StringComparison.Ordinal) || s_alwaysExact.Any(n => name.Contains(n, StringComparison.Ordinal));
        return isExact ? StoredType.From(DType.Float32) : shape[^1] % type.BlockElements == 0 ? type : StoredType.From(DType.Float16);
    }

    private GgufMetadata Describe(GgufFamily family, ConfigReader config, StoredType type, GgufExportOptions options)
    {
        long parameters = _tensors.Sum(t => t.Entry.ElementCount);
        ModelName name = ModelName.Parse(options.Name ?? FolderName(_source.Path), parameters);
        (var before, var behind) = ModelCard.Describe(options.Card ?? []);
        var metadata = new GgufMetadata(_source.Path)
        {
            [GgufMetadata.ArchitectureKey] = GgufValue.Of(family.Architecture), ["general.type"] = GgufValue.Of("model"),
            ["general.name"] = GgufValue.Of(options.Name ?? options.Card?["model_name"]?.ToString() ?? ModelName.Title(name.Full)),
        };
        before.ForEach(k => metadata["general." + k.Key] = k.Value);
        string? size = name.SizeLabel ?? (parameters > 0 ? SizeLabel.Of([.. _tensors.Select(t => (t.Entry.Name, t.Entry.Shape.ToArray()))]) : null);
        foreach ((string key, string? value) in new[] { ("version", name.Version), ("organization", name.Organization), ("finetune", name.Finetune), ("basename", name.Basename), ("size_label", size) })
        {
            if (value is not null)
            {
                metadata["general." + key] = GgufValue.Of(value);
            }
        }
        behind.ForEach(k => metadata["general." + k.Key] = k.Value);
        foreach ((string key, JsonNode? text) in options.Metadata ?? [])
        {
            metadata[key] = text is JsonValue v && v.TryGetValue(out string? value) ? GgufValue.Of(value) : throw new ArgumentException($"the metadata key {key} is {text?.ToJsonString() ?? "null"}; expected a text");
        }
        foreach (GgufKey key in family.Keys)
        {
            if (key.Write(config) is { } value)
            {
                metadata.TryAdd($"{family.Architecture}.{key.Name}", value);
            }
        }
        if (Pooling() is { } pooling)
        {
            metadata[$"{family.Architecture}.pooling_type"] = GgufValue.Of(pooling);
        }
        if (family.HasFileType)
        {
            metadata["general.file_type"] = GgufValue.Of(s_fileTypes.First(t => t.Name == (IsMxfp4(config) ? "MXFP4" : type.Name)).FileType); // a mixture has its own
        }
        metadata["general.quantization_version"] = GgufValue.Of(2u);
        return metadata;
    }

    private static string FolderName(string path) => System.IO.Path.GetFileNameWithoutExtension(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path)) + (System.IO.Path.HasExtension(path) && File.Exists(path) ? "" : "."));

    // How sentence-transformers makes one vector of a text: the mean, or the first token.
    private uint? Pooling()
    {
        string modules = System.IO.Path.Combine(_source.Path, "modules.json");
        if (!File.Exists(modules))
        {
            return null;
        }
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(modules));
            foreach (JsonElement module in document.RootElement.EnumerateArray())
            {
                if (module.GetProperty("type").GetString()!.EndsWith(".Pooling", StringComparison.Ordinal))
                {
                    ConfigReader config = ConfigReader.Open(System.IO.Path.Combine(_source.Path, module.GetProperty("path").GetString()!, "config.json"));
                    return config.GetBool("pooling_mode_mean_tokens", false) ? 1 : config.GetBool("pooling_mode_cls_token", false) ? 2 : config.GetBool("pooling_mode_lasttoken", false) ? 3u : null;
                }
            }
            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new CheckpointException(modules, $"is no list of modules: {e.Message}", e);
        }
    }
}
