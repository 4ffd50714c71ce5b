using System.Security.Cryptography;
using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Tokenizers.Tests;

/// <summary>Reads the records of the golden vectors and compares encodings with them; every difference is an error, there is no tolerance.</summary>
internal static class Expected
{
    private static readonly Lazy<Dictionary<string, string>> s_texts = new(ReadTexts);

    public static JsonElement Read(params string[] path) =>
        JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Get(path)), new JsonDocumentOptions { MaxDepth = 256 }).RootElement;

    /// <summary>The items of a list that a case may lack.</summary>
    public static IEnumerable<JsonElement> List(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out JsonElement list) ? list.EnumerateArray() : [];

    public static string? TextOrNull(JsonElement record, string name) =>
        record.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static int[] Ints(JsonElement list) => [.. list.EnumerateArray().Select(v => v.GetInt32())];

    public static string[] Strings(JsonElement list) => [.. list.EnumerateArray().Select(v => v.GetString()!)];

    /// <summary>A text of <c>texts.json</c> by name.</summary>
    public static string Text(string name) => s_texts.Value[name];

    /// <summary>Loads a tokenizer; a part that the library does not have yet skips the test and names the part.</summary>
    public static T OrPending<T>(Func<T> load)
    {
        try
        {
            return load();
        }
        catch (TokenizerFormatException e) when (e.Message.Contains("known are", StringComparison.Ordinal) || e.Message.Contains("not supported", StringComparison.Ordinal))
        {
            throw new SkipException("pending: " + e.Message);
        }
    }

    /// <summary>Compares all keys that the record has. Of the parts that truncation cut off, the vectors do not say what they cut off themselves.</summary>
    public static void Check(JsonElement record, Encoding actual, string what, string? except = null, bool isPart = false)
    {
        foreach (JsonProperty p in record.EnumerateObject())
        {
            string? problem = p.Name switch
            {
                _ when p.Name == except => null,
                "ids" => Difference(Ints(p.Value), actual.Ids),
                "tokens" => Difference(Strings(p.Value), actual.Tokens),
                "offsets" => Difference(Ints(p.Value), [.. actual.Offsets.SelectMany(o => new[] { o.Start, o.End })]),
                "words" => Difference(Nullables(p.Value), actual.Words),
                "type_ids" => Difference(Ints(p.Value), actual.TypeIds),
                "special" => Difference(Ints(p.Value), actual.SpecialTokensMask),
                "attention" => Difference(Ints(p.Value), actual.AttentionMask),
                "seq" => Difference(Nullables(p.Value), actual.SequenceIds),
                _ => null,
            };
            Assert.True(problem is null, $"{what}: {p.Name}: {problem}");
        }
        CheckAbsent(record, actual, what);
        if (!isPart)
        {
            CheckOverflowing(record, actual, what);
        }
    }

    /// <summary>A long text: number and hashes of ids and offsets.</summary>
    public static void CheckLong(JsonElement record, Encoding actual, string what)
    {
        Assert.Equal((what, record.GetProperty("n").GetInt32()), (what, actual.Count));
        Assert.Equal((what, record.GetProperty("ids_sha256").GetString()), (what, Hash(string.Join(',', actual.Ids))));
        if (TextOrNull(record, "offsets_sha256") is { } offsets)
        {
            Assert.Equal((what, offsets), (what, Hash(string.Join(',', actual.Offsets.Select(o => $"{o.Start},{o.End}")))));
        }
    }

    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));

    private static void CheckAbsent(JsonElement record, Encoding actual, string what)
    {
        Assert.True(record.TryGetProperty("type_ids", out _) || actual.TypeIds.All(t => t == 0), $"{what}: type_ids should be 0");
        Assert.True(record.TryGetProperty("special", out _) || actual.SpecialTokensMask.All(t => t == 0), $"{what}: no special tokens expected");
        Assert.True(record.TryGetProperty("attention", out _) || actual.AttentionMask.All(t => t == 1), $"{what}: no padding expected");
    }

    private static void CheckOverflowing(JsonElement record, Encoding actual, string what)
    {
        JsonElement[] parts = [.. List(record, "overflowing")];
        Assert.Equal((what, parts.Length), (what, actual.Overflowing.Count));
        for (int i = 0; i < parts.Length; i++)
        {
            Check(parts[i], actual.Overflowing[i], $"{what} overflowing {i}", isPart: true);
        }
    }

    private static int?[] Nullables(JsonElement list) =>
        [.. list.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Null ? (int?)null : v.GetInt32())];

    private static string? Difference<T>(T[] expected, T[] actual) => expected.AsSpan().SequenceEqual(actual)
        ? null
        : $"expected [{string.Join(' ', expected)}], found [{string.Join(' ', actual)}]";

    private static Dictionary<string, string> ReadTexts()
    {
        JsonElement texts = Read("goldens", "tokenizers", "texts.json");
        return texts.EnumerateObject()
            .Where(p => p.Value.ValueKind == JsonValueKind.Array)
            .SelectMany(p => p.Value.EnumerateArray())
            .ToDictionary(t => t.GetProperty("name").GetString()!, t => t.GetProperty("text").GetString()!);
    }
}
