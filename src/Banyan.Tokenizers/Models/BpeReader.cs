using Banyan.Tokenizers.Json;
using System.Text.Json;

namespace Banyan.Tokenizers.Models;

/// <summary>Reads the BPE model of a tokenizer.json.</summary>
internal static class BpeReader
{
    public static Bpe Read(JsonView view)
    {
        BpeOptions options = new()
        {
            Dropout = ReadDropout(view.Member("dropout")),
            UnkToken = view.OptionalString("unk_token"),
            ContinuingSubwordPrefix = view.OptionalString("continuing_subword_prefix"),
            EndOfWordSuffix = view.OptionalString("end_of_word_suffix"),
            FuseUnk = view.Bool("fuse_unk", false),
            ByteFallback = view.Bool("byte_fallback", false),
            IgnoreMerges = view.Bool("ignore_merges", false),
        };
        Vocabulary vocabulary = ModelReader.ReadVocabulary(view.Object("vocab"));
        JsonView merges = view.Array("merges");
        if (merges.Items().Select(m => m.Kind).Distinct().Count() > 1)
        {
            throw merges.Error("found pairs and texts, expected all merges in one form");
        }
        return Build(options, vocabulary, merges.Items().Where(m => !IsVersion(m)).Select(ReadPair), merges.Element.GetArrayLength());
    }

    /// <summary>A model from merges in the order in which they were learned, each with its place in a file.</summary>
    public static Bpe Build(
        BpeOptions options, Vocabulary vocabulary, IEnumerable<(JsonView Where, string Left, string Right)> merges, int capacity)
    {
        MergeTable table = new(capacity);
        List<(int, int)> list = new(capacity);
        int prefixLength = options.ContinuingSubwordPrefix?.Length ?? 0;
        foreach ((JsonView where, string left, string right) in merges)
        {
            Add(where, left, right, prefixLength, vocabulary, table, list);
        }
        return new(vocabulary, table, list, options);
    }

    private static double? ReadDropout(JsonView view)
    {
        if (view.IsNull)
        {
            return null;
        }
        double value = view.AsDouble();
        return value is >= 0 and <= 1 ? value : throw view.Error($"found {view.Describe()}, expected a probability from 0 to 1");
    }

    /// <summary>The first line of a merges.txt, which some converters took along.</summary>
    private static bool IsVersion(JsonView merge) =>
        merge.Kind == JsonValueKind.String && merge.AsString().StartsWith("#version", StringComparison.Ordinal);

    /// <summary>Either ["a", "b"] or the older "a b".</summary>
    private static (JsonView Where, string Left, string Right) ReadPair(JsonView merge)
    {
        if (merge.Kind == JsonValueKind.Array)
        {
            JsonView[] parts = [.. merge.Items()];
            return parts.Length == 2
                ? (merge, parts[0].AsString(), parts[1].AsString())
                : throw merge.Error($"found {parts.Length} parts, expected a pair of tokens");
        }
        string text = merge.AsString();
        string[] halves = text.Split(' ');
        return halves.Length == 2
            ? (merge, halves[0], halves[1])
            : throw merge.Error($"found {merge.Describe()}, expected two tokens with one space between");
    }

    private static void Add(
        JsonView merge, string left, string right, int prefixLength, Vocabulary vocabulary, MergeTable table, List<(int, int)> list)
    {
        if (right.Length < prefixLength)
        {
            throw merge.Error($"the second token \"{right}\" is shorter than continuing_subword_prefix");
        }
        int l = Find(merge, vocabulary, left);
        int r = Find(merge, vocabulary, right);
        int id = Find(merge, vocabulary, string.Concat(left, right.AsSpan(prefixLength)));
        table.Set(l, r, list.Count, id);
        list.Add((l, r));
    }

    private static int Find(JsonView merge, Vocabulary vocabulary, string token) =>
        vocabulary.IdOf(token) is >= 0 and int id
            ? id
            : throw merge.Error($"the token \"{token}\" of this merge is not in model.vocab");
}
