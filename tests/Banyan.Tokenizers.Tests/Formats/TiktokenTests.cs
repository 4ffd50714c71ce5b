using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Tokenizers.Tests.Formats;

/// <summary>Files of tiktoken's format give the ids of tiktoken.</summary>
[Trait("Category", "Golden")]
public sealed class TiktokenTests
{
    public static IEnumerable<object[]> Cases() => Golden.Cases("goldens", "tokenizers", "tiktoken");

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Equals_tiktoken(string name)
    {
        JsonElement golden = Expected.Read("goldens", "tokenizers", "tiktoken", name, "case.json");
        JsonElement vectors = Expected.Read("goldens", "tokenizers", "tiktoken", name, "vectors.json");
        Tokenizer tokenizer = Load(golden);
        foreach (JsonElement r in Expected.List(vectors, "records"))
        {
            string text = r.GetProperty("text").GetString()!;
            tokenizer.EncodeSpecialTokens = true;
            int[] ordinary = Expected.Ints(r.GetProperty("ordinary"));
            Assert.Equal((text, string.Join(' ', ordinary)), (text, string.Join(' ', tokenizer.Encode(text).Ids)));
            Assert.Equal((text, string.Join(' ', ordinary)), (text, string.Join(' ', tokenizer.EncodeToIds(text))));
            Assert.Equal(text, tokenizer.Decode(ordinary, skipSpecialTokens: false));
            tokenizer.EncodeSpecialTokens = false;
            int[] all = r.TryGetProperty("all_special", out JsonElement special) ? Expected.Ints(special) : ordinary;
            Assert.Equal((text, string.Join(' ', all)), (text, string.Join(' ', tokenizer.EncodeToIds(text))));
        }
        CheckSpecial(vectors, tokenizer);
        CheckDecode(vectors, tokenizer);
    }

    private static void CheckSpecial(JsonElement vectors, Tokenizer tokenizer)
    {
        foreach (JsonElement r in Expected.List(vectors, "special").Where(r => r.TryGetProperty("ids", out _)))
        {
            bool all = r.GetProperty("allowed_special").ValueKind == JsonValueKind.String;
            if (all || r.GetProperty("allowed_special").GetArrayLength() == 0)
            {
                tokenizer.EncodeSpecialTokens = !all;
                Assert.Equal(Expected.Ints(r.GetProperty("ids")), tokenizer.EncodeToIds(r.GetProperty("text").GetString()!));
            }
        }
    }

    private static void CheckDecode(JsonElement vectors, Tokenizer tokenizer)
    {
        foreach (JsonElement r in Expected.List(vectors, "decode"))
        {
            Assert.Equal(r.GetProperty("text_replace").GetString(), tokenizer.Decode(Expected.Ints(r.GetProperty("ids")), skipSpecialTokens: false));
        }
        foreach (JsonElement r in Expected.List(vectors, "long"))
        {
            tokenizer.EncodeSpecialTokens = true;
            Expected.CheckLong(r, tokenizer.Encode(Expected.Text(r.GetProperty("text_ref").GetString()!)), r.GetProperty("text_ref").GetString()!);
        }
    }

    /// <summary>The files whose name tells everything are loaded by it, the others with what the case says.</summary>
    private static Tokenizer Load(JsonElement golden)
    {
        string source = golden.GetProperty("source").GetString()!.Split(',')[0];
        Dictionary<string, int> special = golden.GetProperty("special_tokens").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetInt32());
        if (!source.EndsWith(".json", StringComparison.Ordinal) && !source.EndsWith(".bpe", StringComparison.Ordinal))
        {
            Tokenizer named = Tokenizer.Load(SharedFolder.Get(source));
            return named.AddedTokens.Count == special.Count
                ? named
                : Tokenizer.LoadTiktoken(SharedFolder.Get(source), golden.GetProperty("pat_str").GetString()!, special);
        }
        return Tokenizer.Load(SharedFolder.Get(Path.GetDirectoryName(source)!));
    }
}
