using Banyan.Checkpoints;
using Banyan.Cpu;
using Banyan.Models;
using Banyan.Tokenizers;

namespace Banyan.Inference;

/// <summary>What a conversion made.</summary>
/// <param name="Path">The file or folder.</param>
/// <param name="Architecture">The class of the model, in Hugging Face's spelling.</param>
/// <param name="Tensors">How many tensors were written.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Difference">The largest difference of the outputs before and after, as a share of the largest output; null: not checked.</param>
/// <param name="Allowed">What rounding to the type may make of it.</param>
public sealed record ConversionResult(string Path, string Architecture, int Tensors, long Bytes, double? Difference, double Allowed);

/// <summary>Moves models between Hugging Face folders and GGUF files, tokenizer and chat template included. What was written is loaded again, and does not stay where it computes something else.</summary>
/// <example><code>
/// ModelConverter.ToGguf("Qwen2.5-0.5B", "qwen.gguf", new() { Type = "q8_0" });
/// ModelConverter.ToFolder("qwen.gguf", "qwen");
/// </code></example>
public static class ModelConverter
{
    private const int ProbeTokens = 24;

    /// <summary>Writes a model as a GGUF file.</summary>
    /// <param name="source">A folder, or a file of another format.</param>
    /// <param name="output">The file; an older one is replaced once the new one is checked. Where the options ask for several files, they get numbers.</param>
    /// <param name="options">Type, name and so on; null: the defaults.</param>
    /// <param name="check">Whether the outputs before and after are compared. Default: true.</param>
    /// <param name="progress">Told the bytes that are written, and how many there will be.</param>
    /// <param name="cancellationToken">Stops, and leaves nothing.</param>
    /// <exception cref="CheckpointException">The model is damaged or has no form in GGUF here, or what was written differs.</exception>
    public static ConversionResult ToGguf(string source, string output, GgufExportOptions? options = null, bool check = true, IProgress<(long Done, long Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        using IModelReader reader = ModelReader.Open(source);
        GgufExport export = GgufExport.Plan(reader, options);
        GgufVocabularyExport.Add(export.Metadata, reader, export.Tensors.FirstOrDefault(t => t.Name == "token_embd.weight")?.Shape[0] ?? 0);
        long total = export.Tensors.Sum(t => t.ByteCount);
        double allowed = export.Tensors.Select(t => Rounding(t.Type, reader)).DefaultIfEmpty().Max();
        string folder = Path.GetDirectoryName(Path.GetFullPath(output))!, temporary = Path.Combine(folder, $"{Path.GetFileName(output)}.{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(temporary);
            IReadOnlyList<string> files = export.Write(Path.Combine(temporary, Path.GetFileName(output)), Told(progress, total), cancellationToken);
            double? difference = check && export.Tensors.Count > 0 ? Compare(reader, files[0], allowed, cancellationToken) : null;
            foreach (string file in files)
            {
                File.Move(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
            }
            return new(Path.Combine(Path.GetDirectoryName(output)!, Path.GetFileName(files[0])), Architecture(reader), export.Tensors.Count, total, difference, allowed);
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }
    }

    /// <summary>Writes a model as a Hugging Face folder.</summary>
    /// <param name="source">A GGUF file, or a folder or file of another format.</param>
    /// <param name="output">The folder, which must not exist yet or be empty.</param>
    /// <param name="quantizedAs">The type of tensors that are in blocks; null: bfloat16.</param>
    /// <param name="check">Whether the outputs before and after are compared. Default: true.</param>
    /// <param name="progress">Told the bytes that are written, and how many there will be.</param>
    /// <param name="cancellationToken">Stops, and leaves nothing.</param>
    /// <exception cref="CheckpointException">The model is damaged, or what was written differs.</exception>
    public static ConversionResult ToFolder(string source, string output, DType? quantizedAs = null, bool check = true, IProgress<(long Done, long Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        if (File.Exists(output) || (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any()))
        {
            throw new CheckpointException(output, "is there already; expected a new or an empty folder");
        }
        using IModelReader reader = ModelReader.Open(source);
        TensorEntry[] entries = [.. reader.Names.Select(reader.Get)];
        double allowed = reader is GgufModel gguf && reader.Names.Any(gguf.IsQuantized) ? Rounding(StoredType.From(quantizedAs ?? DType.BFloat16), null) : Exact;
        string temporary = $"{Path.TrimEndingDirectorySeparator(output)}.{Guid.NewGuid():N}";
        try
        {
            FolderExport.Write(reader, temporary, quantizedAs, Told(progress, entries.Sum(e => e.ByteCount)), cancellationToken);
            if (reader is GgufModel && ModelTokenizer.Find(reader) is { } tokenizer)
            {
                tokenizer.Save(temporary);
            }
            double? difference = check ? Compare(reader, temporary, allowed, cancellationToken) : null;
            if (Directory.Exists(output))
            {
                Directory.Delete(output); // which is empty
            }
            Directory.Move(temporary, output);
            return new(output, Architecture(reader), entries.Length, entries.Sum(e => e.ByteCount), difference, allowed);
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }
    }

    /// <summary>Writes an adapter in its other form: PEFT's folder as a GGUF file, a GGUF file as PEFT's folder.</summary>
    /// <param name="adapter">The folder or the file.</param>
    /// <param name="baseModel">The model that it was made for, of any format.</param>
    /// <param name="output">What to write: a name with <c>.gguf</c> is a file.</param>
    /// <param name="name">The name in a GGUF file; null: that of the folder.</param>
    /// <exception cref="CheckpointException">Adapter or model are damaged or do not belong together, or what was written differs.</exception>
    public static ConversionResult Adapter(string adapter, string baseModel, string output, string? name = null)
    {
        using IModelReader reader = ModelReader.Open(baseModel);
        LoraCheckpoint before = LoraCheckpoint.Open(adapter, reader.ReadConfig());
        string temporary = $"{Path.TrimEndingDirectorySeparator(output)}.{Guid.NewGuid():N}";
        bool isFile = output.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
        temporary += isFile ? ".gguf" : "";
        if (!isFile && Path.Exists(output))
        {
            throw new CheckpointException(output, "is there already; expected a new folder");
        }
        try
        {
            if (isFile)
            {
                before.SaveGguf(temporary, reader.ReadConfig(), name ?? GgufExport.TitleOf(adapter));
            }
            else
            {
                before.SaveFolder(temporary, baseModel);
            }
            LoraCheckpoint after = LoraCheckpoint.Open(temporary, reader.ReadConfig()) with { IsRankStabilized = before.IsRankStabilized };
            float[] expected = Outputs(LoraMerge.Load(reader, before), reader.ReadConfig()).Values, actual = Outputs(LoraMerge.Load(reader, after), reader.ReadConfig()).Values;
            double difference = Difference(expected, actual);
            if (difference > Exact)
            {
                throw new CheckpointException(adapter, $"the outputs with what was written differ by {difference:g3} of the largest; nothing was left");
            }
            Directory.Move(temporary, output); // which moves files too
            return new(output, Architecture(reader), 2 * before.Pairs.Count, before.Pairs.Sum(p => sizeof(float) * (p.A.Count + p.B.Count)), difference, Exact);
        }
        finally
        {
            File.Delete(temporary);
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }
    }

    private const double Exact = 1e-4;

    // What rounding each weight to a type may do to the outputs: far less than any mistake in names, orders or hyperparameters does.
    private static double Rounding(StoredType type, IModelReader? source)
    {
        bool fits = source is not null && source.Names.Select(source.Get).Where(e => e.Shape.Length > 1).All(e => e.Type.Name == type.Name);
        return type.DType is null ? (8.0 * type.BlockBytes / type.BlockElements) switch { >= 8 => 0.15, >= 5 => 0.3, >= 4 => 0.5, _ => 1 } : type.DType == DType.Float32 || fits ? Exact : type.DType == DType.Float16 ? 0.01 : 0.05;
    }

    private static string Architecture(IModelReader reader) => reader.ReadConfig().GetStrings("architectures").FirstOrDefault() ?? reader.ReadConfig().GetString("model_type", "model");

    private static SyncProgress<long>? Told(IProgress<(long, long)>? progress, long total) => progress is null ? null : new SyncProgress<long>(done => progress.Report((done, total)));

    private static double Compare(IModelReader before, string written, double allowed, CancellationToken cancellationToken)
    {
        (string name, float[] expected) = Outputs(before);
        cancellationToken.ThrowIfCancellationRequested();
        using IModelReader after = ModelReader.Open(written);
        (_, float[] actual) = Outputs(after);
        double difference = Difference(expected, actual);
        CompareTokenizers(before, after);
        return difference <= allowed ? difference
            : throw new CheckpointException(before.Path, $"the {name} of what was written differ by {difference:g3} of the largest; rounding may make {allowed:g2} of it. The format cannot hold all of this model; nothing was left");
    }

    private static double Difference(float[] expected, float[] actual) => expected.Length == actual.Length
        ? expected.Zip(actual, (e, a) => Math.Abs((double)e - a)).Max() / Math.Max(expected.Max(Math.Abs), float.Epsilon)
        : double.PositiveInfinity;

    private static (string Name, float[] Values) Outputs(IModelReader reader)
    {
        Model model = ModelRegistry.Default.Create(reader.ReadConfig());
        ModelFiles.LoadWeights(model, reader, trainable: false);
        return Outputs(model, reader.ReadConfig());
    }

    private static (string Name, float[] Values) Outputs(Model model, ConfigReader config)
    {
        int positions = new[] { "max_position_embeddings", "n_positions" }.Select(k => config.GetInt(k, ProbeTokens + 2)).Min() - 2, vocabulary = config.GetInt("vocab_size");
        var random = new CounterRandom(7, 7);
        Tensor ids = Tensor.From([.. Enumerable.Range(0, Math.Clamp(positions, 1, ProbeTokens)).Select(_ => (long)random.NextInt(vocabulary))], [1, Math.Clamp(positions, 1, ProbeTokens)]);
        var inputs = new Dictionary<string, Tensor> { ["input_ids"] = ids };
        if (model is EncoderDecoderModel)
        {
            inputs["decoder_input_ids"] = ids;
        }
        IReadOnlyList<(string Name, Tensor Value)> results = ForwardRun.Run(model, inputs);
        (string name, Tensor value) = results.FirstOrDefault(r => r.Name == "out.logits") is { Value: not null } logits ? logits : results.First(r => r.Name == "out.last_hidden_state");
        return (name["out.".Length..], value.ToArray<float>());
    }

    private static void CompareTokenizers(IModelReader before, IModelReader after)
    {
        const string Text = "Hello, world! 1234 naïve 漢字\n  two  spaces 😀 it's";
        if (ModelTokenizer.Find(before) is { } expected && ModelTokenizer.Find(after) is { } actual && expected.Encode(Text).Ids is var ids && !ids.SequenceEqual(actual.Encode(Text).Ids))
        {
            throw new CheckpointException(before.Path, $"the tokenizer of what was written gives other ids ({string.Join(' ', actual.Encode(Text).Ids.Take(12))} ...; expected {string.Join(' ', ids.Take(12))} ...); nothing was left");
        }
    }
}
