using Banyan.Checkpoints.Gguf;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests.Gguf;

/// <summary>Mixtures of quantized types: the types that llama.cpp's own files have, and for formats without a search the very bytes.</summary>
[Trait("Category", "Golden")]
public sealed class QuantizationMixTests
{
    private static readonly string[] s_exact = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "TQ1_0", "TQ2_0"];

    public static IEnumerable<object[]> Mixes() => SharedFolder.TryGet("goldens", "gguf") is not { } root ? [] : Directory.EnumerateFiles(root, "*.gguf").Order()
        .Select(f => Path.GetFileNameWithoutExtension(f)["llama-".Length..]).Where(n => GgufExport.Mixes.Contains(n.ToLowerInvariant())).Select(n => new object[] { n });

    [SkippableTheory, MemberData(nameof(Mixes))]
    public void Tensors_have_the_types_that_llama_cpp_gives_them(string mix)
    {
        using GgufFile source = GgufFile.Open(SharedFolder.Get("goldens", "gguf", "llama-F32.gguf")), expected = GgufFile.Open(SharedFolder.Get("goldens", "gguf", $"llama-{mix}.gguf"));
        GgufExport plan = GgufExport.Quantize(source, mix);
        Assert.Equal(expected.Names.Select(n => (n, expected.Get(n).Type.Name)).Order(), plan.Tensors.Select(t => (t.Name, t.Type.Name)).Order());
        Assert.Equal(expected.Metadata["general.file_type"].Value, plan.Metadata["general.file_type"].Value);
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.gguf");
        try
        {
            plan.Write(path);
            using GgufFile actual = GgufFile.Open(path);
            foreach (string name in expected.Names.Where(n => s_exact.Contains(expected.Get(n).Type.Name)))
            {
                using TensorBytes wanted = expected.Map(name), found = actual.Map(name);
                Assert.True(wanted.Span.SequenceEqual(found.Span), name);
            }
            Assert.Equal(source.Metadata["tokenizer.ggml.tokens"].Value, actual.Metadata["tokenizer.ggml.tokens"].Value);
            Assert.All(plan.Errors(actual), e => Assert.InRange(e.Error, 1e-4, e.Tensor.Type.Name switch { "Q8_0" => 0.01, "Q6_K" => 0.03, "Q5_0" or "Q5_1" or "Q5_K" => 0.06, "Q4_0" or "Q4_1" or "Q4_K" => 0.12, "Q2_K" or "Q3_K" => 0.4, _ => 0.9 }));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [SkippableFact]
    public void An_unknown_mixture_is_refused_with_the_nearest_name()
    {
        using GgufFile source = GgufFile.Open(SharedFolder.Get("goldens", "gguf", "llama-F32.gguf"));
        Assert.Contains("q4_k_m", Assert.Throws<ArgumentException>(() => GgufExport.Quantize(source, "q4_k_n")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("q4_k_m", "blk.0.attn_q.weight", 288, "Q5_0")]
    [InlineData("q5_k_m", "blk.0.attn_q.weight", 288, "Q5_1")]
    [InlineData("q6_k", "blk.0.attn_q.weight", 288, "Q8_0")]
    [InlineData("q6_k", "blk.0.attn_q.weight", 20, "F16")]
    public void Rows_that_fill_no_blocks_of_256_get_smaller_blocks(string mix, string name, long columns, string type)
    {
        var metadata = new GgufMetadata("test") { [GgufMetadata.ArchitectureKey] = GgufValue.Of("llama") };
        Assert.Equal(type, QuantizationMix.Of(mix, [new TensorEntry("output.weight", DType.Float32, 4, columns), new TensorEntry(name, DType.Float32, 4, columns)], metadata).TypeOf(name, columns));
    }
}
