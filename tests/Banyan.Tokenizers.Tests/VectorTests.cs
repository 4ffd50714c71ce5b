using System.Text.Json;

namespace Banyan.Tokenizers.Tests;

/// <summary>Checks every list of a <c>vectors.json</c> against a tokenizer.</summary>
/// <param name="tokenizer">The tokenizer to check.</param>
/// <param name="vectors">The lists.</param>
/// <param name="withoutOffsets">Name of a record whose offsets the reference gets wrong.</param>
internal sealed class VectorTests(Tokenizer tokenizer, JsonElement vectors, string? withoutOffsets = null)
{
    public void Run()
    {
        foreach (JsonElement r in Expected.List(vectors, "records"))
        {
            Check(r);
        }
        foreach (JsonElement r in Expected.List(vectors, "no_special"))
        {
            string name = r.GetProperty("name").GetString()!;
            string text = Expected.List(vectors, "records").FirstOrDefault(v => Expected.TextOrNull(v, "name") == name) is { ValueKind: JsonValueKind.Object } own
                ? own.GetProperty("text").GetString()!
                : Expected.Text(name);
            Assert.Equal(Expected.Ints(r.GetProperty("ids")), tokenizer.Encode(text, addSpecialTokens: false).Ids);
            Assert.Equal(Expected.Ints(r.GetProperty("ids")), tokenizer.EncodeToIds(text, addSpecialTokens: false));
        }
        foreach (JsonElement r in Expected.List(vectors, "pairs").Concat(Expected.List(vectors, "pretokenized")))
        {
            Check(r);
        }
        RunLong();
        RunDecode();
        RunStreams();
    }

    /// <summary>Encodes a record's text, pair or words, and decodes its ids.</summary>
    public void Check(JsonElement record)
    {
        JsonElement text = record.GetProperty("text");
        string what = Expected.TextOrNull(record, "name") ?? text.ToString();
        if (text.ValueKind == JsonValueKind.Array)
        {
            string[]? pair = record.TryGetProperty("pair", out JsonElement words) ? Expected.Strings(words) : null;
            Expected.Check(record, tokenizer.EncodeWords(Expected.Strings(text), pair), what);
        }
        else if (Expected.TextOrNull(record, "pair") is { } pair)
        {
            Expected.Check(record, tokenizer.Encode(text.GetString()!, pair), what);
        }
        else
        {
            Expected.Check(record, tokenizer.Encode(text.GetString()!), what, what == withoutOffsets ? "offsets" : null);
            Assert.Equal(Expected.Ints(record.GetProperty("ids")), tokenizer.EncodeToIds(text.GetString()!));
            if (record.TryGetProperty("byte_offsets", out JsonElement bytes))
            {
                Assert.Equal(Expected.Ints(bytes), tokenizer.Encode(text.GetString()!).ByteOffsets(text.GetString()!).SelectMany(o => new[] { o.Start, o.End }));
            }
        }
        CheckDecoded(record, what);
    }

    private void CheckDecoded(JsonElement record, string what)
    {
        int[] ids = Expected.Ints(record.GetProperty("ids"));
        string? decoded = record.TryGetProperty("decoded_is_text", out _) ? record.GetProperty("text").GetString() : Expected.TextOrNull(record, "decoded");
        if (decoded is null)
        {
            return;
        }
        Assert.Equal((what, decoded), (what, tokenizer.Decode(ids, skipSpecialTokens: false)));
        Assert.Equal((what, Expected.TextOrNull(record, "decoded_skip") ?? decoded), (what, tokenizer.Decode(ids)));
    }

    private void RunLong()
    {
        foreach (JsonElement r in Expected.List(vectors, "long"))
        {
            string name = r.GetProperty("text_ref").GetString()!;
            string text = Expected.Text(name);
            Encoding encoding = tokenizer.Encode(text);
            Expected.CheckLong(r, encoding, name);
            Assert.Equal(encoding.Ids, tokenizer.EncodeToIds(text));
            if (Expected.TextOrNull(r, "decoded_sha256") is { } hash)
            {
                Assert.Equal((name, hash), (name, Expected.Hash(tokenizer.Decode(encoding.Ids, skipSpecialTokens: false))));
            }
        }
    }

    private void RunDecode()
    {
        foreach (JsonElement r in Expected.List(vectors, "decode"))
        {
            int[] ids = Expected.Ints(r.GetProperty("ids"));
            Assert.Equal(r.GetProperty("decoded").GetString(), tokenizer.Decode(ids, skipSpecialTokens: false));
            Assert.Equal(r.GetProperty("decoded_skip").GetString(), tokenizer.Decode(ids));
        }
    }

    private void RunStreams()
    {
        foreach (JsonElement r in Expected.List(vectors, "stream"))
        {
            int[] prefix = r.TryGetProperty("prefix_ids", out JsonElement p) ? Expected.Ints(p) : [];
            DecodeStream stream = tokenizer.DecodeStream(r.GetProperty("skip").GetBoolean(), prefix);
            string?[] pieces = [.. Expected.Ints(r.GetProperty("ids")).Select(stream.Step)];
            string?[] expected = [.. r.GetProperty("pieces").EnumerateArray().Select(v => v.GetString())];
            Assert.Equal(expected, pieces);
        }
    }
}
