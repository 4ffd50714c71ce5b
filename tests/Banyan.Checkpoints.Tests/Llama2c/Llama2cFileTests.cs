using System.Buffers.Binary;
using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Checkpoints.Tests;

public class Llama2cFileTests
{
    private static readonly string[] Stories = ["assets", "weights", "stories260K"];

    [GoldenTheory, Trait("Category", "Golden"), MemberData(nameof(Cases))]
    public void Tensors_under_Hugging_Face_names_give_the_logits_of_run_c(int index)
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(SharedFolder.Get([.. Stories, "golden_stories260K.json"])));
        JsonElement expected = golden.RootElement.GetProperty("cases")[index];
        using IModelReader file = ModelReader.Open(SharedFolder.Get([.. Stories, "stories260K.bin"]));
        var llama = new SlowLlama(file);
        double[] logits = [];
        foreach (JsonElement token in expected.GetProperty("prompt_tokens").EnumerateArray())
        {
            logits = llama.Next(token.GetInt32());
        }
        double[] next = [.. expected.GetProperty("next_logits_after_prompt").EnumerateArray().Select(v => v.GetDouble())];
        Assert.Equal(next.Length, logits.Length);
        Assert.All(next.Zip(logits), p => Assert.Equal(p.First, p.Second, 1e-4)); // run.c computes in float32, six digits are stored
        foreach (JsonElement token in expected.GetProperty("greedy_tokens").EnumerateArray().Take(30))
        {
            Assert.Equal(token.GetInt32(), Array.IndexOf(logits, logits.Max()));
            logits = llama.Next(token.GetInt32());
        }
    }

    public static IEnumerable<object[]> Cases()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(SharedFolder.Get([.. Stories, "golden_stories260K.json"])));
        return [.. Enumerable.Range(0, golden.RootElement.GetProperty("cases").GetArrayLength()).Select(i => new object[] { i })];
    }

    [Fact]
    public void An_untied_model_has_an_output_matrix()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["a.bin"], Tiny(vocab: -3));
        using Llama2cFile file = Llama2cFile.Open(folder["a.bin"]);
        Assert.False(file.ReadConfig().GetBool("tie_word_embeddings"));
        Assert.Equal(3, file.ReadConfig().GetInt("vocab_size"));
        Assert.Equal("lm_head.weight", file.Names[^1]);
        Assert.Equal(12, file.LoadTensor("lm_head.weight").Count);
        // Rows of 2 heads of 2: pairs of one element each, so nothing moves; heads of 4 would.
        Assert.Equal(Enumerable.Range(0, 16).Select(i => 16.0 + i), file.LoadTensor("model.layers.0.self_attn.q_proj.weight").ToDoubles());
    }

    [Theory]
    [InlineData(0, 0, "dim")]
    [InlineData(0, int.MaxValue, "n_heads")]
    [InlineData(1, -1, "hidden_dim")]
    [InlineData(1, int.MaxValue, "expected")]
    [InlineData(2, 5000, "n_layers")]
    [InlineData(3, 3, "n_heads")]
    [InlineData(4, 0, "n_kv_heads")]
    [InlineData(5, 0, "vocab_size")]
    [InlineData(5, int.MinValue, "vocab_size")]
    [InlineData(6, 1 << 30, "bytes; expected")]
    [InlineData(0, 0x616b3432, "version 6")]
    public void A_header_that_cannot_be_is_refused(int field, int value, string message)
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = Tiny(3);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * field), value);
        File.WriteAllBytes(folder["a.bin"], bytes);
        string error = Assert.Throws<CheckpointException>(() => ModelReader.Open(folder["a.bin"])).Message;
        Assert.StartsWith(folder["a.bin"] + ": ", error);
        Assert.Contains(message, error);
    }

    [Fact]
    public void What_is_no_model_is_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("no such file", Assert.Throws<CheckpointException>(() => ModelReader.Open(folder["none"])).Message);
        File.WriteAllText(folder["a.txt"], "x");
        Assert.Contains("no model file", Assert.Throws<CheckpointException>(() => ModelReader.Open(folder["a.txt"])).Message);
        File.WriteAllText(folder["a.bin"], "x");
        Assert.Contains("too few", Assert.Throws<CheckpointException>(() => ModelReader.Open(folder["a.bin"])).Message);
    }

    /// <summary>dim 4, hidden 6, 1 layer, 2 heads, 1 key-value head, 5 positions; the weights count up from 0.</summary>
    internal static byte[] Tiny(int vocab)
    {
        int[] header = [4, 6, 1, 2, 1, vocab, 5];
        int v = Math.Abs(vocab);
        int floats = v * 4 + 4 + 16 + 8 + 8 + 16 + 4 + 24 + 24 + 24 + 4 + 5 * 2 + (vocab < 0 ? v * 4 : 0);
        var bytes = new byte[28 + 4 * floats];
        for (int i = 0; i < 7; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * i), header[i]);
        }
        for (int i = 0; i < floats; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(28 + 4 * i), i);
        }
        return bytes;
    }
}
