using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Tokenizers.Tests.Formats;

/// <summary>SentencePiece models give the ids and the text of SentencePiece.</summary>
[Trait("Category", "Golden")]
public sealed class SentencePieceTests
{
    private const string Root = "sentencepiece";

    public static IEnumerable<object[]> Cases() => Golden.Cases("goldens", "tokenizers", Root);

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Equals_SentencePiece(string name)
    {
        JsonElement vectors = Expected.Read("goldens", "tokenizers", Root, name, "vectors.json");
        Tokenizer tokenizer = Load(name);
        foreach (JsonElement r in Expected.List(vectors, "records"))
        {
            string text = r.GetProperty("text").GetString()!;
            Encoding encoding = tokenizer.Encode(text, addSpecialTokens: false);
            int[] ids = Expected.Ints(r.GetProperty("ids"));
            Assert.Equal((text, string.Join(' ', ids)), (text, string.Join(' ', encoding.Ids)));
            string? decoded = r.TryGetProperty("decoded_is_text", out _) ? text : Expected.TextOrNull(r, "decoded");
            Assert.Equal((text, decoded), (text, tokenizer.Decode(ids)));
        }
        CheckOthers(vectors, tokenizer);
    }

    private static void CheckOthers(JsonElement vectors, Tokenizer tokenizer)
    {
        foreach (JsonElement r in Expected.List(vectors, "decode"))
        {
            string ids = r.GetProperty("ids").ToString();
            Assert.Equal((ids, r.GetProperty("decoded").GetString()), (ids, tokenizer.Decode(Expected.Ints(r.GetProperty("ids")))));
        }
        foreach (JsonElement r in Expected.List(vectors, "long"))
        {
            string text = r.GetProperty("text_ref").GetString()!;
            Encoding encoding = tokenizer.Encode(Expected.Text(text), addSpecialTokens: false);
            Assert.Equal((text, r.GetProperty("ids_sha256").GetString()), (text, Expected.Hash(string.Join(',', encoding.Ids))));
        }
        foreach (JsonElement r in Expected.List(vectors, "options"))
        {
            int[] ids = tokenizer.Encode(r.GetProperty("text").GetString()!, addSpecialTokens: false).Ids;
            Assert.Equal(Expected.Ints(r.GetProperty("reverse")), ids.Reverse());
        }
    }

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Saved_model_gives_the_same_ids(string name)
    {
        Tokenizer tokenizer = Load(name);
        Skip.If(name == "unigram_suffix", "tokenizer.json has no form for spaces behind words");
        using TemporaryFolder folder = new();
        tokenizer.Save(folder.Path);
        Tokenizer again = Tokenizer.Load(folder.Path);
        // Hugging Face's form writes a space behind a user-defined piece, SentencePiece none.
        string[] more = name.Contains("symbols", StringComparison.Ordinal) ? [] : ["  two  spaces ", "It's 1234.5 <sep> foo", "king's 'quoted'"];
        foreach (string text in (string[])["Hello, world!", "Ünïcode 中文 😀 text", .. more])
        {
            Assert.Equal((text, string.Join(' ', tokenizer.Encode(text).Ids)), (text, string.Join(' ', again.Encode(text).Ids)));
            Assert.Equal(tokenizer.Decode(tokenizer.Encode(text).Ids), again.Decode(again.Encode(text).Ids));
        }
    }

    private static Tokenizer Load(string name)
    {
        JsonElement golden = Expected.Read("goldens", "tokenizers", Root, name, "case.json");
        string path = Expected.TextOrNull(golden, "source") ?? $"goldens/tokenizers/{Root}/{name}/m.model";
        Skip.If(path.EndsWith(".gguf", StringComparison.Ordinal), "pending: the vocabulary of a GGUF file");
        Tokenizer tokenizer = Expected.OrPending(() => Tokenizer.Load(SharedFolder.Get(path)));
        tokenizer.EncodeSpecialTokens = true;
        return tokenizer;
    }
}
