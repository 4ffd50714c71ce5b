using System.Text.Json;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Testing;
using Banyan.Tokenizers.Formats;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Tests;

/// <summary>Vocabularies that the field uses, against the reference.</summary>
[Trait("Category", "Golden")]
public sealed class RealVocabularyTests
{
    private const string Root = "tokenizers", Rwkv = "rwkv_world";

    public static IEnumerable<object[]> Cases() => Golden.Cases("goldens", Root, "real").Where(c => (string)c[0] != Rwkv);

    public static IEnumerable<object[]> Lines() => Expected.Read("goldens", Root, "hostile", "rwkv_lines.json").GetProperty("cases").EnumerateArray().Select(c => new object[] { c.GetProperty("line").GetString()! });

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Tokenizer_equals_the_reference(string name)
    {
        string source = Expected.Read("goldens", Root, "real", name, "case.json").GetProperty("source").GetString()!.Split(',')[0];
        Tokenizer tokenizer = SharedFolder.TryGet("goldens", Root, "real", name, "tokenizer_spec.json") is { } spec ? Tokenizer.FromJson(Complete(JsonNode.Parse(File.ReadAllText(spec))!.AsObject(), source).ToJsonString())
            : name == "ollama_mini_llama" ? Tokenizer.FromJson(WithFlags(File.ReadAllText(Asset(source)))) : Tokenizer.Load(Asset(source));
        new VectorTests(tokenizer, Expected.Read("goldens", Root, "real", name, "vectors.json")).Run();
    }

    [GoldenFact]
    public void Rwkv_equals_the_reference()
    {
        Tokenizer tokenizer = Tokenizer.Load(Asset(Expected.Read("goldens", Root, "real", Rwkv, "case.json").GetProperty("source").GetString()!));
        JsonElement vectors = Expected.Read("goldens", Root, "real", Rwkv, "vectors.json");
        foreach (JsonElement r in Expected.List(vectors, "records"))
        {
            string text = r.GetProperty("text").GetString()!;
            int[] ids = Expected.Ints(r.GetProperty("ids"));
            Assert.Equal((text, string.Join(' ', ids)), (text, string.Join(' ', tokenizer.Encode(text).Ids)));
            Assert.Equal(text, tokenizer.Decode(ids));
        }
        foreach (JsonElement r in Expected.List(vectors, "long"))
        {
            Expected.CheckLong(r, tokenizer.Encode(Expected.Text(r.GetProperty("text_ref").GetString()!)), r.GetProperty("text_ref").GetString()!);
        }
        foreach (JsonElement r in Expected.List(vectors, "raw_bytes"))
        {
            List<ModelToken> tokens = [];
            ((ByteTrie)tokenizer.Parts.Model).Tokenize(Convert.FromHexString(r.GetProperty("bytes_hex").GetString()!), tokens);
            Assert.Equal(Expected.Ints(r.GetProperty("ids")), tokens.Select(t => t.Id));
        }
    }

    [GoldenTheory, MemberData(nameof(Lines))]
    public void Lines_of_rwkv_are_read_and_never_evaluated(string line)
    {
        JsonElement golden = Expected.Read("goldens", Root, "hostile", "rwkv_lines.json").GetProperty("cases").EnumerateArray().First(c => c.GetProperty("line").GetString() == line);
        if (golden.GetProperty("expect").GetString() == "error")
        {
            Assert.Throws<FormatException>(() => RwkvVocabulary.ReadLine(line));
            return;
        }
        Assert.Equal(golden.GetProperty("bytes_hex").GetString(), Convert.ToHexStringLower(RwkvVocabulary.ReadLine(line).Token));
    }

    // The specifications say in words where vocabulary, merges and map are to be read from.
    private static JsonObject Complete(JsonObject json, string source)
    {
        JsonObject model = json["model"]!.AsObject();
        string path = Asset(source);
        switch (Path.GetExtension(path))
        {
            case ".gguf":
                using (GgufFile file = GgufFile.Open(path))
                {
                    string[] tokens = file.Metadata.GetStrings("tokenizer.ggml.tokens");
                    bool isBert = model["type"]!.GetValue<string>() == "WordPiece";
                    model["vocab"] = Ids(isBert ? tokens.Select(t => t is ['▁', ..] ? t[1..] : t is ['[', .., ']'] ? t : "##" + t) : tokens);
                    if (!isBert)
                    {
                        model["merges"] = new JsonArray([.. file.Metadata.GetStrings("tokenizer.ggml.merges").Select(m => (JsonNode)m)]);
                    }
                }
                break;
            case ".json":
                model["vocab"] = JsonNode.Parse(File.ReadAllText(path));
                model["merges"] = new JsonArray([.. File.ReadAllLines(Path.Combine(Path.GetDirectoryName(path)!, "vocab.bpe")).Skip(1).Where(l => l.Length > 0).Select(l => (JsonNode)l)]);
                break;
            default:
                SentencePieceProto proto = SentencePieceProto.Parse(File.ReadAllBytes(path));
                if (model["type"]!.GetValue<string>() == "Unigram")
                {
                    IEnumerable<(string, float)> sentinels = Enumerable.Range(0, 100).Select(i => ($"<extra_id_{99 - i}>", 0f));
                    model["vocab"] = new JsonArray([.. proto.Pieces.Select(p => (p.Text, p.Score)).Concat(sentinels).Select(p => (JsonNode)new JsonArray(p.Item1, p.Item2))]);
                    SetMap(json["normalizer"], Convert.ToBase64String(proto.CharsMap));
                    break;
                }
                model["vocab"] = Ids(proto.Pieces.Select(p => p.Text));
                model["merges"] = Merges([.. proto.Pieces.Select(p => p.Text)]);
                break;
        }
        return json;
    }

    private static void SetMap(JsonNode? node, string map)
    {
        switch (node)
        {
            case JsonObject o when o.ContainsKey("precompiled_charsmap"):
                o["precompiled_charsmap"] = map;
                break;
            case JsonObject o:
                foreach ((_, JsonNode? child) in o)
                {
                    SetMap(child, map);
                }
                break;
            case JsonArray a:
                foreach (JsonNode? child in a)
                {
                    SetMap(child, map);
                }
                break;
        }
    }

    // For every piece, every split with both parts in the vocabulary, by the id of the whole and the code points of the parts.
    private static JsonArray Merges(string[] pieces)
    {
        HashSet<string> known = [.. pieces];
        IEnumerable<(string Left, string Right)> merges = pieces.SelectMany(piece => Enumerable.Range(1, Math.Max(0, piece.Length - 1)).Where(i => !char.IsLowSurrogate(piece[i]))
            .Select(i => (piece[..i], piece[i..])).Where(p => known.Contains(p.Item1) && known.Contains(p.Item2)).OrderBy(p => p.Item1, Runes.Order).ThenBy(p => p.Item2, Runes.Order));
        return [.. merges.Select(m => (JsonNode)new JsonArray(m.Left, m.Right))];
    }

    private static JsonObject Ids(IEnumerable<string> tokens)
    {
        JsonObject ids = [];
        foreach ((int id, string token) in tokens.Index())
        {
            ids[token] = id;
        }
        return ids;
    }

    private static string WithFlags(string json)
    {
        JsonObject root = JsonNode.Parse(json)!.AsObject();
        foreach (JsonObject token in root["added_tokens"]!.AsArray().OfType<JsonObject>())
        {
            foreach (string flag in new[] { "single_word", "lstrip", "rstrip", "normalized" })
            {
                token[flag] ??= false;
            }
        }
        return root.ToJsonString();
    }

    private static string Asset(string source) => SharedFolder.Get(source.Split('/'));
}
