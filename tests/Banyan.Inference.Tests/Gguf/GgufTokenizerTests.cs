using System.Text.Json;
using Banyan.Checkpoints;
using Banyan.Testing;
using Banyan.Tokenizers;

namespace Banyan.Inference.Tests.Gguf;

/// <summary>Tokenizers of GGUF files give the ids that llama.cpp gives: for the converter's test models and for the vocabularies of real ones.</summary>
[Trait("Category", "Golden")]
public sealed class GgufTokenizerTests
{
    public static IEnumerable<object[]> Files() => SharedFolder.TryGet("goldens", "convert") is not { } root ? [] : Directory.EnumerateFiles(root, "tokens.json", SearchOption.AllDirectories)
        .Select(f => Path.GetFileName(Path.GetDirectoryName(f)!)).Order().Select(f => new object[] { f });

    public static IEnumerable<object[]> Vocabularies() => SharedFolder.TryGet("assets", "tokenizers", "ggml-vocab") is not { } root ? [] : Directory.EnumerateFiles(root, "*.gguf").Order().Select(f => new object[] { Path.GetFileName(f) });

    [SkippableTheory, MemberData(nameof(Files))]
    public void Ids_are_those_of_llama_cpp(string name)
    {
        string folder = SharedFolder.Get("goldens", "convert", name);
        using GgufFile file = GgufFile.Open(Directory.EnumerateFiles(folder, "model*.gguf").Order().First());
        Tokenizer tokenizer = GgufTokenizer.Read(file.Metadata)!;
        using JsonDocument tokens = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "tokens.json")));
        Skip.IfNot(tokens.RootElement.GetProperty("llama_cpp_loaded").GetBoolean(), "llama.cpp does not read it");
        using JsonDocument texts = JsonDocument.Parse(File.ReadAllText(SharedFolder.Get("goldens", "convert", "texts.json")));
        string[] all = [.. Texts(texts.RootElement)];
        var wrong = new List<string>();
        foreach ((JsonElement row, int i) in tokens.RootElement.GetProperty("rows").EnumerateArray().Select((r, i) => (r, i)))
        {
            if (file.Metadata.GetString("tokenizer.ggml.model") == "t5" && all[i].EndsWith('▁'))
            {
                // llama.cpp keeps a literal mark of a space at the end; SentencePiece, whose model it is, does not.
                Assert.Equal(row[0].EnumerateArray().SkipLast(1).Select(e => e.GetInt32()), tokenizer.Encode(all[i], addSpecialTokens: false).Ids);
                continue;
            }
            tokenizer.EncodeSpecialTokens = false;
            Compare(row[0], tokenizer.Encode(all[i], addSpecialTokens: false).Ids, $"{all[i]}", wrong);
            Compare(row[1], tokenizer.Encode(all[i]).Ids, $"{all[i]} framed", wrong);
            tokenizer.EncodeSpecialTokens = true;
            Compare(row[2].ValueKind == JsonValueKind.Null ? row[0] : row[2], tokenizer.Encode(all[i], addSpecialTokens: false).Ids, $"{all[i]} unparsed", wrong);
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {3 * all.Length}: {string.Join("\n", wrong.Take(6))}");
    }

    [SkippableTheory, MemberData(nameof(Vocabularies))]
    public void Ids_of_real_vocabularies_are_those_of_llama_cpp(string name)
    {
        string path = SharedFolder.Get("assets", "tokenizers", "ggml-vocab", name);
        using GgufFile file = GgufFile.Open(path);
        Tokenizer tokenizer = GgufTokenizer.Read(file.Metadata)!;
        string[] texts = File.ReadAllText(path + ".inp").Split("\n__ggml_vocab_test__\n"), expected = File.ReadAllLines(path + ".out");
        texts = texts[^1].Length == 0 ? texts[..^1] : texts; // the separator ends the last one too
        Assert.Equal(expected.Length, texts.Length);
        var wrong = new List<string>();
        for (int i = 0; i < texts.Length; i++)
        {
            string ids = string.Join(' ', tokenizer.Encode(texts[i], addSpecialTokens: false).Ids);
            if (ids != expected[i].Trim())
            {
                wrong.Add($"{texts[i]}: expected {expected[i]}, found {ids}");
            }
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {texts.Length}: {string.Join("\n", wrong.Take(6))}");
    }

    private static IEnumerable<string> Texts(JsonElement texts) => texts.ValueKind == JsonValueKind.Array
        ? texts.EnumerateArray().Select(t => t.ValueKind == JsonValueKind.String ? t.GetString()! : t.GetProperty("text").GetString()!)
        : texts.EnumerateObject().First(p => p.Value.ValueKind == JsonValueKind.Array).Value.EnumerateArray().Select(t => t.ValueKind == JsonValueKind.String ? t.GetString()! : t.GetProperty("text").GetString()!);

    private static void Compare(JsonElement expected, IReadOnlyList<int> actual, string text, List<string> wrong)
    {
        string ids = string.Join(' ', expected.EnumerateArray().Select(e => e.GetInt32())), found = string.Join(' ', actual);
        if (ids != found)
        {
            wrong.Add($"{text}: expected {ids}, found {found}");
        }
    }
}
