using System.Runtime.InteropServices;
using System.Text.Json;
using Banyan.Quant;
using Banyan.Testing;
using Xunit;

namespace Banyan.Tests.Quant;

/// <summary>Block formats against the reference package, and errors of the K formats against those of llama.cpp's own files.</summary>
[Trait("Category", "Golden")]
public sealed class BlockFormatTests
{
    private static IEnumerable<object[]> Types(string folder) => Golden.Open("goldens", "quant", "gguf", folder).Json.GetProperty("results").EnumerateArray()
        .Select(r => r.GetProperty("type").GetString()!).Where(t => t is not ("BF16" or "F16")).Select(t => new object[] { t }); // which tensors have

    public static IEnumerable<object[]> Read() => Types("dequantize");

    public static IEnumerable<object[]> Written() => Types("quantize");

    [GoldenTheory, MemberData(nameof(Read))]
    public void Blocks_are_read_as_the_reference_reads_them(string type)
    {
        using Golden golden = Golden.Open("goldens", "quant", "gguf", "dequantize");
        JsonElement record = golden.Json.GetProperty("results").EnumerateArray().Single(r => r.GetProperty("type").GetString() == type);
        BlockFormat format = BlockFormats.FromName(type)!;
        Assert.Equal((record.GetProperty("ggml_type").GetUInt32(), record.GetProperty("block_elements").GetInt32(), record.GetProperty("block_bytes").GetInt32()), (format.GgmlType, format.BlockElements, format.BlockBytes));
        byte[] blocks = golden.Bytes($"{type}.blocks");
        float[] expected = MemoryMarshal.Cast<byte, float>(golden.Bytes($"{type}.dequant")).ToArray(), actual = new float[expected.Length];
        format.Dequantize(blocks, actual);
        Assert.Equal(expected, actual);
    }

    [GoldenTheory, MemberData(nameof(Written))]
    public void Blocks_are_written_to_the_byte(string type)
    {
        using Golden golden = Golden.Open("goldens", "quant", "gguf", "quantize");
        BlockFormat format = BlockFormats.FromName(type)!;
        byte[] expected = golden.Bytes($"{type}.bytes"), actual = new byte[expected.Length];
        format.Quantize(MemoryMarshal.Cast<byte, float>(golden.Bytes("x")), actual);
        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData("Q2_K"), InlineData("Q3_K"), InlineData("Q4_K"), InlineData("Q5_K"), InlineData("Q6_K"), InlineData("Q8_0"), InlineData("Q4_0")]
    public void What_was_read_from_a_block_is_written_as_nearly_the_same(string type)
    {
        // A second pass finds scales that fit numbers on a grid: the error must be far below a step.
        BlockFormat format = BlockFormats.FromName(type)!;
        float[] x = [.. Enumerable.Range(0, 512).Select(i => MathF.Sin(0.7f * i) * (1 + i % 7))], once = new float[512], twice = new float[512];
        byte[] bytes = new byte[512 / format.BlockElements * format.BlockBytes];
        format.Quantize(x, bytes);
        format.Dequantize(bytes, once);
        format.Quantize(once, bytes);
        format.Dequantize(bytes, twice);
        double first = Error(x, once), second = Error(once, twice);
        Assert.True(second < 0.3 * first, $"{second} after {first}");
    }

    [Fact]
    public void Lengths_are_checked_and_read_only_formats_say_so()
    {
        Assert.Throws<ArgumentException>(() => BlockFormats.FromName("Q4_0")!.Dequantize(new byte[17], new float[32]));
        Assert.Throws<ArgumentException>(() => BlockFormats.FromName("Q4_0")!.Dequantize(new byte[18], new float[31]));
        Assert.Contains("Q4_K", Assert.Throws<NotSupportedException>(() => BlockFormats.FromName("IQ2_XS")!.Quantize(new float[256], new byte[74])).Message);
    }

    private static double Error(float[] a, float[] b) => a.Zip(b, (x, y) => (double)(x - y) * (x - y)).Sum();
}
