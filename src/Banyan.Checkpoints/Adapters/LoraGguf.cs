using Banyan.Checkpoints.Gguf;

namespace Banyan.Checkpoints;

/// <summary>llama.cpp's file of an adapter: <c>NAME.lora_a</c> and <c>NAME.lora_b</c> for each matrix. Where GGUF orders the rows of a matrix otherwise, it orders those of B.</summary>
internal static class LoraGguf
{
    private const string AlphaKey = "adapter.lora.alpha", Weight = ".weight", A = ".lora_a", B = ".lora_b";

    public static LoraCheckpoint Read(string path, ConfigReader baseConfig)
    {
        using GgufFile file = GgufFile.Open(path);
        string kind = file.Metadata.GetString("adapter.type", "");
        if (kind != "lora")
        {
            throw new CheckpointException(path, $"is {(kind.Length == 0 ? "no adapter" : $"an adapter of the kind {CheckpointException.Quote(kind)}")}; expected lora");
        }
        Dictionary<string, TensorRule> rules = Rules(baseConfig).GroupBy(r => r.Gguf[0]).ToDictionary(g => g.Key, g => g.First());
        var pairs = new List<LoraPair>();
        foreach (string name in file.Names.Where(n => n.EndsWith(A, StringComparison.Ordinal)).Select(n => n[..^A.Length]))
        {
            TensorRule rule = rules.GetValueOrDefault(name) ?? throw new CheckpointException(path, $"adapts {CheckpointException.Quote(name)}, which the base model of {baseConfig.Source} does not have as a matrix of its own");
            Tensor b = file.LoadTensor(name + B, DType.Float32);
            pairs.Add(new LoraPair(rule.Hf[0][..^Weight.Length], file.LoadTensor(name + A, DType.Float32), Order(rule, b) is { } order ? Rows(b, RowOrders.Invert([order], order.Length)) : b));
        }
        return pairs.Count > 0 ? new() { Alpha = file.Metadata.GetDouble(AlphaKey), Pairs = pairs } : throw new CheckpointException(path, "holds no pair of tensors .lora_a and .lora_b");
    }

    public static void Write(LoraCheckpoint adapter, string path, ConfigReader baseConfig, string name)
    {
        Dictionary<string, TensorRule> rules = Rules(baseConfig).GroupBy(r => r.Hf[0]).ToDictionary(g => g.Key, g => g.First());
        var tensors = new List<(string Name, Tensor Value)>();
        foreach (LoraPair pair in adapter.Pairs)
        {
            TensorRule rule = rules.GetValueOrDefault(pair.Target + Weight) ?? throw new CheckpointException(baseConfig.Source, $"the base model has no matrix {CheckpointException.Quote(pair.Target)} that GGUF stores by itself");
            tensors.Add((rule.Gguf[0] + A, pair.A));
            tensors.Add((rule.Gguf[0] + B, Order(rule, pair.B) is { } order ? Rows(pair.B, order) : pair.B));
        }
        var metadata = new GgufMetadata(path)
        {
            [GgufMetadata.ArchitectureKey] = GgufValue.Of(GgufFamilies.Of(baseConfig).Architecture), ["general.type"] = GgufValue.Of("adapter"), ["adapter.type"] = GgufValue.Of("lora"),
            ["general.name"] = GgufValue.Of(name), [AlphaKey] = GgufValue.Of((float)adapter.Alpha), ["general.quantization_version"] = GgufValue.Of(2u),
        };
        using GgufWriter writer = GgufWriter.Create(path, metadata, [.. tensors.Select(t => TensorEntry.Of(t.Name, t.Value))]);
        foreach ((string tensor, Tensor value) in tensors)
        {
            using TensorBytes bytes = TensorBytes.Of(value);
            writer.Write(tensor, bytes.Span);
        }
        writer.Commit();
    }

    // One matrix here and there, whose numbers stay as they are.
    private static IEnumerable<TensorRule> Rules(ConfigReader config) =>
        GgufFamilies.Of(config).Tensors(config).Where(r => r.Hf.Length == 1 && r.Gguf.Length == 1 && r.Each is null && r.Hf[0].EndsWith(Weight, StringComparison.Ordinal));

    private static long[]? Order(TensorRule rule, Tensor b) => rule.Rows?.Invoke(0, b.Shape[0], [b.Shape[0], b.Shape[1]]);

    private static Tensor Rows(Tensor b, long[] order)
    {
        float[] values = b.ToArray<float>(), ordered = new float[values.Length];
        int width = checked((int)b.Shape[1]);
        for (int row = 0; row < order.Length; row++)
        {
            Array.Copy(values, order[row] * width, ordered, row * width, width);
        }
        return Tensor.From(ordered, b.Shape);
    }
}
