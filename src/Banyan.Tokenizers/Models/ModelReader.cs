using Banyan.Tokenizers.Json;
using System.Text.Json;

namespace Banyan.Tokenizers.Models;

/// <summary>The table of models by their name in a tokenizer.json.</summary>
internal static class ModelReader
{
    private static readonly Dictionary<string, Func<JsonView, TokenModel>> s_table = new()
    {
        ["BPE"] = BpeReader.Read,
        ["Unigram"] = ReadUnigram,
        ["WordLevel"] = v => new WordLevel(ReadVocabulary(v.Object("vocab")), v.String("unk_token")),
        ["WordPiece"] = v => new WordPiece(
            ReadVocabulary(v.Object("vocab")), v.String("unk_token"), v.String("continuing_subword_prefix"), v.Length("max_input_chars_per_word", 0)),
    };

    public static TokenModel Read(JsonView view)
    {
        view.Require(JsonValueKind.Object, "an object with the model");
        string type = view.OptionalString("type") ?? Guess(view);
        return s_table.TryGetValue(type, out Func<JsonView, TokenModel>? read)
            ? read(view)
            : throw view.Member("type").Error($"found the model \"{type}\", known are {string.Join(", ", s_table.Keys)}");
    }

    /// <summary>Old files do not name the type; the keys tell.</summary>
    private static string Guess(JsonView view) =>
        view.Has("merges") ? "BPE"
        : view.Member("vocab").Kind == JsonValueKind.Array ? "Unigram"
        : view.Has("continuing_subword_prefix") ? "WordPiece"
        : "WordLevel";

    /// <summary>A vocabulary object: token to id.</summary>
    public static Vocabulary ReadVocabulary(JsonView view)
    {
        Dictionary<string, int> ids = [];
        foreach ((string token, JsonView id) in view.Members())
        {
            ids[token] = id.AsInt(0, int.MaxValue - 1);
        }
        return new(ids);
    }

    private static Unigram ReadUnigram(JsonView view)
    {
        List<(string, double)> pieces = [];
        foreach (JsonView piece in view.Array("vocab").Items())
        {
            JsonView[] parts = [.. piece.Items()];
            pieces.Add(parts.Length == 2 ? (parts[0].AsString(), parts[1].AsDouble()) : throw piece.Error("expected [piece, score]"));
        }
        int? unk = view.Has("unk_id") ? view.Int("unk_id", 0, Math.Max(0, pieces.Count - 1)) : null;
        return pieces.Count == 0 && unk is not null
            ? throw view.Member("unk_id").Error("there is no such piece: the vocabulary is empty")
            : new([.. pieces], unk, view.Bool("byte_fallback", false));
    }
}
