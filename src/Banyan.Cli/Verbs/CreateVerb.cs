using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Models;

namespace Banyan.Cli.Verbs;

/// <summary>Writes a model that was never trained.</summary>
internal sealed class CreateVerb : Verb
{
    public override string Name => "create";

    public override string Summary => "Writes a model with random weights, of any architecture: to measure with, or to start from.";

    public override string Example => "create model.type=llama model.hidden_size=256 model.num_hidden_layers=4 model.vocab_size=1000 out=tiny";

    public override IReadOnlyList<Setting> Settings =>
    [
        new("out", "The folder, or NAME.gguf, to write.", SettingKind.Text), new("type", "Of the numbers: f32, f16, bf16; GGUF: q4_0, q4_k_m ... too (f32).", SettingKind.Text),
        new("zeros", "Zeros instead of random numbers.", SettingKind.Flag), new("model.type", "The architecture's model_type; every other key of its config.json goes here too.", SettingKind.Text),
    ];

    public override bool TakesSections => true;

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        string path = s.Text("out"), type = s.Text("type", "f32");
        bool isGguf = path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
        using NewCheckpoint model = SettingReader.Usage(() => Plan(s, isGguf ? Path.ChangeExtension(path, null) : path, isGguf ? DType.Float32 : Plain(type)));
        ProgressLine? line = null;
        int tensors = model.Names.Count;
        long bytes;
        try
        {
            if (isGguf)
            {
                GgufExport export = SettingReader.Usage(() => GgufExport.Plan(model, new() { Type = type }));
                export.Metadata["tokenizer.ggml.model"] = GgufValue.Of("no_vocab");
                bytes = export.Tensors.Sum(t => t.ByteCount);
                export.Write(path, new Told<long>(done => (line ??= output.Progress("writing", bytes)).Report(done, "bytes")), stop);
            }
            else
            {
                bytes = model.Names.Sum(n => model.Get(n).ByteCount);
                FolderExport.Write(model, path, progress: new Told<long>(done => (line ??= output.Progress("writing", bytes)).Report(done, "bytes")), cancellation: stop);
            }
        }
        finally
        {
            line?.Dispose();
        }
        long parameters = model.Names.Sum(n => model.Get(n).ElementCount);
        output.Line(FormattableString.Invariant($"{parameters / 1e6:F1} M parameters in {tensors} tensors, {bytes / 1048576.0:F1} MiB: {path}"));
        output.Document(new JsonObject { ["path"] = path, ["parameters"] = parameters, ["tensors"] = tensors, ["bytes"] = bytes });
        return 0;
    }

    private static NewCheckpoint Plan(SettingReader s, string path, DType type)
    {
        ConfigReader section = s.All.GetOptionalObject("model") ?? throw new UsageException($"model.type is missing: banyan create model.type=llama ... out=DIR");
        JsonObject config = JsonNode.Parse(section.Json)!.AsObject();
        if (config["type"] is { } name)
        {
            config.Remove("type");
            config["model_type"] = name.DeepClone();
        }
        return new NewCheckpoint(ConfigReader.Parse(Encoding.UTF8.GetBytes(config.ToJsonString(new JsonSerializerOptions { WriteIndented = true })), "model"), path, s.Seed, type, s.Flag("zeros"));
    }

    private static DType Plain(string type) => type switch
    {
        "f32" => DType.Float32,
        "f16" => DType.Float16,
        "bf16" => DType.BFloat16,
        _ => throw new ArgumentException($"type: {type} is no type of a folder; expected f32, f16 or bf16 (NAME.gguf has others)"),
    };
}
