using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>Folders that other libraries quantized: GPTQ, AWQ, compressed-tensors, bitsandbytes, FP8, MXFP4.</summary>
[Trait("Category", "Golden")]
public sealed class QuantizedFolderTests
{
    public static IEnumerable<object[]> Folders() => SharedFolder.TryGet("goldens", "quant", "ckpt") is not { } root ? [] : Directory.EnumerateDirectories(root, "model_*").Order().Select(d => new object[] { Path.GetFileName(d) });

    [SkippableTheory, MemberData(nameof(Folders))]
    public void Logits_are_those_of_the_dequantized_weights(string name)
    {
        string folder = SharedFolder.Get("goldens", "quant", "ckpt", name);
        using SafetensorsFile golden = SafetensorsFile.Open(Path.Combine(folder, "tensors.safetensors"));
        LanguageModel lm = LanguageModel.Load(folder);
        float[] actual = ForwardRun.Run(lm.Model, new Dictionary<string, Tensor> { ["input_ids"] = golden.LoadTensor("input_ids") }).First(r => r.Name == "out.logits").Value.ToArray<float>();
        float[] expected = golden.LoadTensor("logits").ToArray<float>();
        Assert.Equal(expected.Length, actual.Length);
        double largest = expected.Max(Math.Abs), difference = expected.Zip(actual, (e, a) => Math.Abs((double)e - a)).Max();
        Assert.True(difference <= 1e-4 * largest, $"{difference / largest:g3} of the largest logit");
    }
}
