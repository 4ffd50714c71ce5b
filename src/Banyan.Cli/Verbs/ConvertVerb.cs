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
        new("name", "GGUF: the name of the model (its folder's).", SettingKind.Text), new("no_check", "Do not load the result and compare its outputs.", SettingKind.Flag),
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        string source = s.Text("model"), target = s.Text("out");
        bool toGguf = target.EndsWith(Gguf, StringComparison.OrdinalIgnoreCase), check = !s.Flag("no_check");
        if (!toGguf && s.Has("name"))
        {
            throw new UsageException("name: only a GGUF file holds one; expected --out NAME.gguf");
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
            var progress = new Written((done, total) => (line ??= output.Progress("writing", total)).Report(done, "bytes"));
            result = toGguf ? ModelConverter.ToGguf(source, target, new() { Type = s.Text("type", "auto"), Name = s.OptionalText("name") }, check, progress, stop) : ModelConverter.ToFolder(source, target, blocks, check, progress, stop);
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

    private static DType BlocksAs(string type) => type switch
    {
        "bf16" => DType.BFloat16,
        "f16" => DType.Float16,
        "f32" => DType.Float32,
        _ => throw new ArgumentException($"type: {type} is no type of a folder; expected bf16, f16 or f32"),
    };

    private sealed class Written(Action<long, long> report) : IProgress<(long Done, long Total)>
    {
        public void Report((long Done, long Total) value) => report(value.Done, value.Total);
    }
}
