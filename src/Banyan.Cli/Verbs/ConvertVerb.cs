using System.Diagnostics;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Inference;

namespace Banyan.Cli.Verbs;

/// <summary>Moves a model between formats.</summary>
internal sealed class ConvertVerb : Verb
{
    private const string Gguf = ".gguf";

    public override string Name => "convert";

    public override string Summary => "Writes a model or an adapter as a GGUF file (--out NAME.gguf) or as a Hugging Face folder, and checks that it computes the same.";

    public override string Example => "convert runs/quickstart/model --out model.gguf --type q8_0";

    public override IReadOnlyList<string> Arguments => ["model"];

    public override IReadOnlyList<Setting> Settings =>
    [
        new("out", "The file or folder to write; a name with .gguf is a GGUF file.", SettingKind.Text),
        new("type", "GGUF: the type of matrices, f32, f16, bf16, q8_0, q4_k ... (auto: bf16 where the model is, else f16). Folder: that of tensors in blocks (bf16).", SettingKind.Text),
        new("base", "Of an adapter (PEFT's folder or a GGUF file): the model that it was made for.", SettingKind.Text),
        new("name", "GGUF: the name of the model (its folder's).", SettingKind.Text), new("metadata", "GGUF: a JSON file of texts for the metadata: general.author ...", SettingKind.Text),
        new("split_max_tensors", "GGUF: the most tensors in one file."), new("split_max_size", "GGUF: the most bytes of tensors in one file: 500M, 2G.", SettingKind.Text),
        new("vocab_only", "GGUF: metadata and tokenizer, no tensors.", SettingKind.Flag), new("no_check", "Do not load the result and compare its outputs.", SettingKind.Flag),
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        string source = s.Text("model"), target = s.Text("out");
        bool toGguf = target.EndsWith(Gguf, StringComparison.OrdinalIgnoreCase), check = !s.Flag("no_check");
        if (!toGguf && new[] { "name", "metadata", "split_max_tensors", "split_max_size", "vocab_only" }.FirstOrDefault(s.Has) is { } only)
        {
            throw new UsageException($"{only}: only a GGUF file has that; expected --out NAME.gguf");
        }
        if (LoraCheckpoint.Is(source))
        {
            string baseModel = s.OptionalText("base") ?? throw new UsageException($"{source} is an adapter: expected --base with the model that it was made for");
            return Told(ModelConverter.Adapter(source, baseModel, target, s.OptionalText("name")), Stopwatch.StartNew(), output);
        }
        DType? blocks = toGguf ? null : SettingReader.Usage(() => BlocksAs(s.Text("type", "bf16")));
        var clock = Stopwatch.StartNew();
        ProgressLine? line = null;
        ConversionResult result;
        try
        {
            var progress = new Told<(long Done, long Total)>(p => (line ??= output.Progress("writing", p.Total)).Report(p.Done, "bytes"));
            result = toGguf ? ModelConverter.ToGguf(source, target, Options(s, source), check, progress, stop) : ModelConverter.ToFolder(source, target, blocks, check, progress, stop);
        }
        finally
        {
            line?.Dispose();
        }
        return Told(result, clock, output);
    }

    private static int Told(ConversionResult result, Stopwatch clock, Reporter output)
    {
        output.Line($"{result.Architecture}: {result.Tensors} tensors, {result.Bytes / 1048576.0:F1} MiB in {clock.Elapsed.TotalSeconds:F1} s: {result.Path}");
        output.Line(result.Difference is { } d ? $"loaded again: the outputs differ by {d:g2} of the largest; rounding may make {result.Allowed:g2} of it" : "not checked");
        output.Document(new JsonObject
        {
            ["path"] = result.Path, ["architecture"] = result.Architecture, ["tensors"] = result.Tensors, ["bytes"] = result.Bytes, ["difference"] = result.Difference, ["allowed"] = result.Allowed, ["seconds"] = clock.Elapsed.TotalSeconds,
        });
        return 0;
    }

    private static GgufExportOptions Options(SettingReader s, string source) => new()
    {
        Type = s.Text("type", "auto"), Name = s.OptionalText("name"), VocabularyOnly = s.Flag("vocab_only"), Card = Card(Path.Combine(source, "README.md")),
        Metadata = s.OptionalText("metadata") is { } file ? JsonNode.Parse(File.ReadAllText(file)) as JsonObject ?? throw new UsageException($"{file}: expected a JSON object of texts") : null,
        MaxTensorsPerFile = s.Has("split_max_tensors") ? s.Int("split_max_tensors", min: 1) : null,
        MaxBytesPerFile = s.OptionalText("split_max_size") is { } size ? SettingReader.Usage(() => Bytes(size)) : null,
    };

    // A README.md on the hub begins with YAML between two lines of hyphens.
    private static JsonObject? Card(string readme)
    {
        if (!File.Exists(readme) || File.ReadLines(readme).FirstOrDefault() != "---")
        {
            return null;
        }
        using var header = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', File.ReadLines(readme).Skip(1).TakeWhile(l => l != "---"))));
        return YamlFile.Read(header, readme);
    }

    private static long Bytes(string size)
    {
        long unit = size[^1] switch { 'K' or 'k' => 1000L, 'M' or 'm' => 1_000_000, 'G' or 'g' => 1_000_000_000, _ => 1 };
        return long.TryParse(unit == 1 ? size : size[..^1], out long count) && count > 0 ? checked(count * unit) : throw new ArgumentException($"split_max_size: {size} is no size; expected a number with K, M or G");
    }

    private static DType BlocksAs(string type) => type switch
    {
        "bf16" => DType.BFloat16,
        "f16" => DType.Float16,
        "f32" => DType.Float32,
        _ => throw new ArgumentException($"type: {type} is no type of a folder; expected bf16, f16 or f32"),
    };
}
