using Banyan.Checkpoints.Quantized;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests.Folders;

/// <summary>Layers in every quantized form of Hugging Face's folders: the numbers that the libraries which wrote them read.</summary>
[Trait("Category", "Golden")]
public sealed class QuantizedWeightTests
{
    public static IEnumerable<object[]> Layers() => SharedFolder.TryGet("goldens", "quant", "ckpt") is not { } root ? [] : Directory.EnumerateDirectories(root)
        .Select(d => Path.GetFileName(d)!).Where(n => n.StartsWith("ct_layer", StringComparison.Ordinal) || n.StartsWith("pack_", StringComparison.Ordinal)).Order().Select(n => new object[] { n });

    public static IEnumerable<object[]> Bnb() => SharedFolder.TryGet("goldens", "quant", "bnb") is not { } root ? [] : Directory.EnumerateDirectories(root, "linear_*").Select(d => new object[] { Path.GetFileName(d)! });

    [SkippableTheory, MemberData(nameof(Layers))]
    public void A_layer_is_read_as_it_was_written(string name)
    {
        using Golden golden = Golden.Open("goldens", "quant", "ckpt", name);
        string folder = SharedFolder.Get("goldens", "quant", "ckpt", name), file = Path.Combine(folder, "layer.safetensors");
        if (name.StartsWith("ct_", StringComparison.Ordinal))
        {
            string config = golden.Json.GetProperty("params").GetProperty("quantization_config").GetRawText();
            Compare(file, config, "", Load("ckpt", name));
            return;
        }
        int bits = golden.Json.GetProperty("params").GetProperty("bits").GetInt32();
        string all = Path.Combine(folder, "tensors.safetensors");
        using SafetensorsFile tensors = SafetensorsFile.Open(all);
        int compared = 0;
        foreach (string prefix in tensors.Names.Where(n => n.EndsWith("qweight", StringComparison.Ordinal)).Select(n => n[..^"qweight".Length]).ToArray())
        {
            string method = name.Contains("awq", StringComparison.Ordinal) ? "awq" : "gptq", version = prefix.Contains("v2", StringComparison.Ordinal) ? "gptq_v2" : "gptq";
            Compare(all, $$"""{"quant_method": "{{method}}", "bits": {{bits}}, "checkpoint_format": "{{version}}"}""", prefix, Load("ckpt", name));
            compared++;
        }
        Assert.True(compared > 0, string.Join(", ", tensors.Names));
    }

    [SkippableTheory, MemberData(nameof(Bnb))]
    public void A_layer_of_bitsandbytes_is_read_as_it_was_written(string name)
    {
        Compare(SharedFolder.Get("goldens", "quant", "bnb", name, "layer.safetensors"), """{"quant_method": "bitsandbytes"}""", "", Load("bnb", name));
    }

    [SkippableFact]
    public void Parts_that_do_not_fit_each_other_are_refused()
    {
        string file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        try
        {
            SafetensorsWriter.Write(file, [("a.qweight", Tensor.Zeros([4, 8], DType.Int32)), ("a.qzeros", Tensor.Zeros([1, 1], DType.Int32)), ("a.scales", Tensor.Zeros([1, 8])), ("a.g_idx", Tensor.From(Enumerable.Repeat(7, 32).ToArray(), [32]))]);
            Assert.Contains("do not fit each other", Assert.Throws<CheckpointException>(() => Read(file, """{"quant_method": "gptq", "bits": 4}""", out _)[0].Value).Message, StringComparison.Ordinal);
            Assert.Contains("compressed-tensors", Assert.Throws<CheckpointException>(() => Read(file, """{"quant_method": "qptq"}""", out _)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Tensor Load(string part, string name)
    {
        using SafetensorsFile golden = SafetensorsFile.Open(SharedFolder.Get("goldens", "quant", part, name, "tensors.safetensors"));
        return golden.LoadTensor("dequant");
    }

    private static void Compare(string file, string config, string prefix, Tensor expected)
    {
        (string Name, Tensor Value) found = Read(file, config, out List<string> names).Single(t => t.Name == prefix + "weight");
        Assert.DoesNotContain(names, n => n.StartsWith(prefix, StringComparison.Ordinal) && (n.EndsWith("weight_scale", StringComparison.Ordinal) || n.EndsWith("scales", StringComparison.Ordinal)));
        Assert.Equal(expected.Shape, found.Value.Shape);
        float[] wanted = expected.To(DType.Float32).ToArray<float>(), actual = found.Value.ToArray<float>();
        float largest = wanted.Max(MathF.Abs);
        for (int i = 0; i < wanted.Length; i++)
        {
            Assert.True(MathF.Abs(wanted[i] - actual[i]) <= 1e-6f * largest, $"element {i}: {actual[i]}, expected {wanted[i]}");
        }
    }

    private static (string Name, Tensor Value)[] Read(string file, string config, out List<string> names)
    {
        using SafetensorsFile tensors = SafetensorsFile.Open(file);
        names = [.. tensors.Names];
        Dictionary<string, ICheckpointReader> fileOf = names.ToDictionary(n => n, _ => (ICheckpointReader)tensors);
        QuantizedWeights.Join(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(config), "quantization_config"), names, fileOf);
        return [.. names.Where(n => fileOf[n] is QuantizedWeight).Select(n => (n, fileOf[n].LoadTensor(n)))];
    }
}
