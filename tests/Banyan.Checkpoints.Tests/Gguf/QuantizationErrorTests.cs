using Banyan.Quant;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests.Gguf;

/// <summary>What quantizing loses, against llama.cpp's own files of the same weights.</summary>
[Trait("Category", "Golden")]
public sealed class QuantizationErrorTests
{
    private const double Allowed = 1.02;

    public static IEnumerable<object[]> Files() => SharedFolder.TryGet("goldens", "gguf") is not { } root ? [] : Directory.EnumerateFiles(root, "llama-Q*.gguf").Order().Select(f => new object[] { Path.GetFileName(f) });

    [SkippableTheory, MemberData(nameof(Files))]
    public void Squared_error_is_that_of_llama_cpp(string name)
    {
        using GgufFile exact = GgufFile.Open(SharedFolder.Get("goldens", "gguf", "llama-F32.gguf")), quantized = GgufFile.Open(SharedFolder.Get("goldens", "gguf", name));
        double ours = 0, theirs = 0;
        foreach (TensorEntry entry in quantized.Names.Select(quantized.Get).Where(e => e.Type.DType is null))
        {
            BlockFormat format = BlockFormats.FromName(entry.Type.Name)!;
            float[] weights = exact.LoadTensor(entry.Name).ToArray<float>(), back = new float[weights.Length], other = new float[weights.Length];
            byte[] blocks = new byte[entry.ByteCount];
            format.Quantize(weights, blocks);
            format.Dequantize(blocks, back);
            using TensorBytes stored = quantized.Map(entry.Name);
            format.Dequantize(stored.Slice(0, (int)entry.ByteCount), other);
            ours += Error(weights, back);
            theirs += Error(weights, other);
        }
        Assert.True(theirs > 0);
        Assert.True(ours <= Allowed * theirs, $"{ours / theirs:f4} of llama.cpp's squared error; allowed is {Allowed}");
    }

    private static double Error(float[] weights, float[] values) => weights.Zip(values, (w, v) => ((double)w - v) * (w - v)).Sum();
}
