using System.Globalization;
using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Testing;

namespace Banyan.Inference.Tests.Gguf;

/// <summary>GGUF files of every type, opened as language models: llama.cpp's logits for its own files.</summary>
[Trait("Category", "Golden")]
public sealed class GgufLanguageModelTests
{
    public static IEnumerable<object[]> Files() => SharedFolder.TryGet("goldens", "gguf") is not { } root ? [] : Directory.EnumerateFiles(root, "*.gguf").Order()
        .SelectMany(f => new[] { WeightPrecision.Stored, WeightPrecision.Float32 }, (f, p) => new object[] { Path.GetFileName(f), p });

    [SkippableTheory, MemberData(nameof(Files))]
    public void Logits_are_those_of_llama_cpp(string name, WeightPrecision precision)
    {
        string path = SharedFolder.Get("goldens", "gguf", name);
        int[] ids = [.. File.ReadAllText(SharedFolder.Get("goldens", "gguf", "llama.ids")).Split(',').Select(id => int.Parse(id, CultureInfo.InvariantCulture))];
        float[] expected = Read(Path.ChangeExtension(path, null) + ".logits.f32");
        LanguageModel lm = LanguageModel.Load(path, precision: precision);
        float[] actual = ForwardRun.Run(lm.Model, new Dictionary<string, Tensor> { ["input_ids"] = Tensor.From(ids, [1, ids.Length]) }).First(r => r.Name == "out.logits").Value.ToArray<float>();
        Assert.Equal(expected.Length, actual.Length);

        string type = name["llama-".Length..^".gguf".Length];
        if (Dense(type) is { } allowed)
        {
            double largest = expected.Max(Math.Abs), difference = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max();
            Assert.True(difference <= allowed * largest, $"{difference / largest:g3} of the largest logit; allowed is {allowed:g3}");
            return;
        }
        // llama.cpp rounds the activations of block types in its own way.
        double cosine = Cosine(expected, actual), least = Bits(type) >= 5 ? 0.999 : Bits(type) >= 3 ? 0.99 : 0.95;
        Assert.True(cosine >= least, $"cosine {cosine:g6}; expected at least {least}");
        float[] unquantized = Read(SharedFolder.Get("goldens", "gguf", "llama-F32.logits.f32"));
        int width = expected.Length / ids.Length;
        for (int t = 0; t < ids.Length; t++)
        {
            ReadOnlySpan<float> wanted = expected.AsSpan(t * width, width);
            int best = wanted.IndexOf(MaxOf(wanted));
            float second = wanted.ToArray().Where((_, i) => i != best).Max(), error = unquantized.AsSpan(t * width, width).ToArray().Zip(wanted.ToArray(), (x, y) => Math.Abs(x - y)).Max();
            ReadOnlySpan<float> found = actual.AsSpan(t * width, width);
            Assert.True(wanted[best] - second <= error || found.IndexOf(MaxOf(found)) == best, $"position {t}: another token is the likeliest");
        }
    }

    [SkippableFact]
    public async Task A_file_writes_text_with_its_own_tokenizer()
    {
        LanguageModel lm = LanguageModel.Load(SharedFolder.Get("goldens", "convert", "llama", "model-f32.gguf"));
        Assert.True(lm.HasTokenizer);
        Assert.Equal([2], lm.EndIds);
        Assert.NotNull(lm.Tokenizer.ChatTemplate);
        int tokens = 0;
        await foreach (GeneratedToken token in lm.GenerateAsync("Hello", new() { MaxNewTokens = 5 }))
        {
            tokens++;
        }
        Assert.InRange(tokens, 1, 5);
    }

    private static double? Dense(string type) => type switch { "F32" => 1e-4, "F16" => 2e-3, "BF16" => 2e-2, _ => null };

    // The bits of one weight, as the name of the type has them.
    private static int Bits(string type) => type.First(char.IsAsciiDigit) - '0';

    private static float MaxOf(ReadOnlySpan<float> values) => values.ToArray().Max();

    private static float[] Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        float[] values = new float[bytes.Length / sizeof(float)];
        Buffer.BlockCopy(bytes, 0, values, 0, bytes.Length);
        return values;
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double dot = 0, aa = 0, bb = 0;
        for (int i = 0; i < a.Length; i++)
        {
            dot += (double)a[i] * b[i];
            aa += (double)a[i] * a[i];
            bb += (double)b[i] * b[i];
        }
        return dot / Math.Sqrt(aa * bb);
    }
}
