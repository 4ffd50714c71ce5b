using System.Globalization;
using Banyan.Checkpoints;
using Banyan.Testing;

namespace Banyan.Inference.Tests.Gguf;

/// <summary>Tokenizers of Hugging Face folders written into GGUF metadata: the keys that llama.cpp's own converter writes.</summary>
[Trait("Category", "Golden")]
public sealed class GgufVocabularyTests
{
    public static IEnumerable<object[]> Folders() => SharedFolder.TryGet("goldens", "convert") is not { } root ? [] : Directory.EnumerateDirectories(root).Where(d => File.Exists(Path.Combine(d, "metadata.json")) && Directory.Exists(Path.Combine(d, "hf")))
        .Select(d => Path.GetFileName(d)).Order().Select(f => new object[] { f });

    [SkippableTheory, MemberData(nameof(Folders))]
    public void Metadata_is_that_of_the_reference(string name)
    {
        string folder = SharedFolder.Get("goldens", "convert", name);
        using GgufFile expected = GgufFile.Open(Directory.EnumerateFiles(folder, "model*.gguf").Order().First());
        using ModelFolder hf = ModelFolder.Open(Path.Combine(folder, "hf"));
        var actual = new GgufMetadata(folder);
        GgufVocabularyExport.Add(actual, hf, expected.Get("token_embd.weight").Shape[0]);
        string[] wrong = [.. expected.Metadata.Keys.Concat(actual.Keys).Distinct().Where(k => k.StartsWith("tokenizer.", StringComparison.Ordinal))
            .Select(k => (Key: k, Expected: Show(expected.Metadata, k), Actual: Show(actual, k))).Where(v => v.Expected != v.Actual).Select(v => $"{v.Key}: {Difference(v.Expected, v.Actual)}")];
        Assert.True(wrong.Length == 0, string.Join("\n", wrong));
    }

    private static string Difference(string expected, string actual)
    {
        int at = expected.Zip(actual).TakeWhile(p => p.First == p.Second).Count();
        return $"at {at} \"{Part(actual, at)}\", expected \"{Part(expected, at)}\"";
    }

    private static string Part(string text, int at) => text[Math.Max(0, Math.Min(at, text.Length) - 20)..Math.Min(at + 30, text.Length)];

    private static string Show(GgufMetadata metadata, string key) => !metadata.TryGet(key, out GgufValue? value) ? "nothing"
        : $"{value.TypeName} " + (value.Value is Array array ? string.Join(' ', array.Cast<object>().Select(Invariant)) : Invariant(value.Value));

    private static string Invariant(object value) => Convert.ToString(value, CultureInfo.InvariantCulture)!;
}
