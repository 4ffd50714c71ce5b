using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Banyan.Checkpoints;

/// <summary>PEFT's folder of an adapter.</summary>
internal static class LoraFolder
{
    public const string ConfigName = "adapter_config.json";

    private const string Weights = "adapter_model.safetensors", Prefix = "base_model.model.", A = ".lora_A.weight", B = ".lora_B.weight";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    // What changes the product or the scale in ways that two matrices do not show.
    private static readonly string[] s_refused = ["use_dora", "lora_bias", "use_qalora"];

    public static LoraCheckpoint Read(string folder)
    {
        ConfigReader config = ConfigReader.Open(Path.Combine(folder, ConfigName));
        if (config.GetString("peft_type", "LORA") != "LORA")
        {
            throw new CheckpointException(config.Source, $"\"peft_type\" is {config.GetString("peft_type")}; expected LORA");
        }
        if (s_refused.FirstOrDefault(k => config.GetBool(k, false)) is { } refused)
        {
            throw new CheckpointException(config.Source, $"\"{refused}\" is true; expected a plain adapter");
        }
        if (new[] { "alpha_pattern", "rank_pattern" }.FirstOrDefault(k => config.GetOptionalObject(k) is { Keys.Count: > 0 }) is { } pattern)
        {
            throw new CheckpointException(config.Source, $"\"{pattern}\" is set; expected one scale for all matrices");
        }
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, Weights));
        var pairs = new List<LoraPair>();
        foreach (string name in file.Names.Where(n => !n.EndsWith(B, StringComparison.Ordinal)))
        {
            string target = name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(A, StringComparison.Ordinal) ? name[Prefix.Length..^A.Length]
                : throw new CheckpointException(file.Path, $"holds the tensor {CheckpointException.Quote(name)}; expected {Prefix}...{A} and {B} only");
            pairs.Add(new LoraPair(target, file.LoadTensor(name, DType.Float32), file.LoadTensor(name[..^A.Length] + B, DType.Float32)));
        }
        return new() { Alpha = config.GetDouble("lora_alpha"), IsRankStabilized = config.GetBool("use_rslora", false), Pairs = pairs };
    }

    public static void Write(LoraCheckpoint adapter, string folder, string baseName)
    {
        Directory.CreateDirectory(folder);
        SafetensorsWriter.Write(Path.Combine(folder, Weights), adapter.Pairs.SelectMany(p => new[] { (Prefix + p.Target + A, p.A), (Prefix + p.Target + B, p.B) }), new Dictionary<string, string> { ["format"] = "pt" });
        var config = new JsonObject
        {
            ["peft_type"] = "LORA", ["task_type"] = "CAUSAL_LM", ["base_model_name_or_path"] = baseName, ["inference_mode"] = true, ["bias"] = "none", ["fan_in_fan_out"] = false,
            ["r"] = adapter.Pairs.Max(p => p.Rank), ["lora_alpha"] = adapter.Alpha, ["lora_dropout"] = 0.0, ["use_rslora"] = adapter.IsRankStabilized,
            ["target_modules"] = new JsonArray([.. adapter.Pairs.Select(p => p.Target[(p.Target.LastIndexOf('.') + 1)..]).Distinct().Order(StringComparer.Ordinal).Select(n => (JsonNode)n)]),
        };
        AtomicFile.WriteAllBytes(Path.Combine(folder, ConfigName), Encoding.UTF8.GetBytes(config.ToJsonString(s_indented)));
    }
}
