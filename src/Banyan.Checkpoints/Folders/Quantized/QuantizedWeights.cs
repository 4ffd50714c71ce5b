namespace Banyan.Checkpoints.Quantized;

/// <summary>Finds the quantized weights of a folder by what its <c>quantization_config</c> says, and puts one tensor in the place of the parts of each.</summary>
internal static class QuantizedWeights
{
    private static readonly string[] s_methods = ["gptq", "awq", "compressed-tensors", "fp8", "bitsandbytes", "mxfp4"];

    /// <summary>Joins parts.</summary>
    /// <param name="config">The section <c>quantization_config</c>.</param>
    /// <param name="names">The folder's tensors in order.</param>
    /// <param name="fileOf">The file of each.</param>
    /// <exception cref="CheckpointException">The method is unknown.</exception>
    public static void Join(ConfigReader config, List<string> names, Dictionary<string, ICheckpointReader> fileOf)
    {
        string method = config.GetChoice("quant_method", s_methods);
        var files = new Dictionary<string, ICheckpointReader>(fileOf); // as they were: the parts stay readable
        var parts = new HashSet<string>();
        var joined = new List<string>(names.Count);
        // One pass: folders of mixtures have a hundred thousand names.
        Dictionary<string, QuantizedWeight> weights = names.Select(n => (Name: n, Weight: Find(method, config, n, files))).Where(f => f.Weight is not null).ToDictionary(f => f.Name, f => f.Weight!);
        foreach (QuantizedWeight weight in weights.Values)
        {
            string prefix = weight.Name[..^"weight".Length];
            parts.UnionWith(weight.Parts.Select(p => prefix + p));
        }
        foreach (string name in names)
        {
            if (weights.TryGetValue(name, out QuantizedWeight? weight))
            {
                joined.Add(weight.Name);
            }
            else if (!parts.Contains(name))
            {
                joined.Add(name);
            }
        }
        foreach (string part in parts)
        {
            fileOf.Remove(part);
        }
        foreach (QuantizedWeight weight in weights.Values)
        {
            fileOf[weight.Name] = weight;
        }
        names.Clear();
        names.AddRange(joined);
    }

    // The weight that a tensor is the main part of.
    private static QuantizedWeight? Find(string method, ConfigReader config, string name, Dictionary<string, ICheckpointReader> files)
    {
        string? Before(string part) => name == part ? "" : name.EndsWith("." + part, StringComparison.Ordinal) ? name[..^part.Length] : null;
        switch (method)
        {
            case "gptq":
                return Before("qweight") is { } gptq ? new GptqWeight(gptq, files, config) : null;
            case "awq":
                return Before("qweight") is { } awq ? new AwqWeight(awq, files, config) : null;
            case "fp8":
                return Before("weight_scale_inv") is { } fp8 ? new ScaledWeight(fp8, files, "weight_scale_inv", Block(config, "weight_block_size")) : null;
            case "compressed-tensors":
                if (Before("weight_packed") is { } packed)
                {
                    return files.ContainsKey(packed + "weight_shape") ? new PackedIntegerWeight(packed, files) : new PackedFloatWeight(packed, files);
                }
                return Before("weight_scale") is { } scaled && files.ContainsKey(scaled + "weight") ? new ScaledWeight(scaled, files, "weight_scale", BlockOf(config)) : null;
            case "bitsandbytes":
                if (Before("SCB") is { } rows)
                {
                    return new ScaledWeight(rows, files, "SCB", default);
                }
                return new[] { "nf4", "fp4" }.Select(kind => Before("weight.quant_state.bitsandbytes__" + kind) is { } p ? new BitsAndBytesWeight(p, files, kind) : null).FirstOrDefault(w => w is not null);
            default:
                return null; // experts in MXFP4 are joined by their names
        }
    }

    private static (int, int) Block(ConfigReader config, string key) => config.GetLongs(key) is [var rows and > 0, var columns and > 0] ? (checked((int)rows), checked((int)columns)) : (128, 128);

    // Blocks of rows and columns, or (0, 0): one scale, or some for each row.
    private static (int, int) BlockOf(ConfigReader config) =>
        config.GetOptionalObject("config_groups")?.GetOptionalObject("group_0")?.GetOptionalObject("weights") is { } weights && weights.GetString("strategy", "") == "block" ? Block(weights, "block_structure") : default;
}
