using System.Diagnostics;
using System.Text.Json;
using Banyan.Testing;

namespace Banyan.Tokenizers.Tests.Formats;

/// <summary>Broken and malicious files: refused with the one documented error, or read as the reference does.</summary>
[Trait("Category", "Golden")]
public sealed class HostileFilesTests
{
    /// <summary>Files that the reference accepts although they are damaged; refusing them is safer.</summary>
    private static readonly string[] s_stricter =
    [
        "tiktoken/bad_base64.tiktoken",     // a line that is no base64
        "tiktoken/rank_u32_max.tiktoken",   // an id beyond int
        "tiktoken/token_duplicate.tiktoken",
        "tiktoken/byte_missing.tiktoken",   // some texts could not be encoded
        "json/vocab_id_u32_max.json",       // an id beyond int
        "json/added_id_huge.json",          // the same
        "json/truncation_huge.json",        // a length beyond int
        "json/post_ids_tokens_differ.json", // two ids for one token
        "json/post_pair_without_b.json",    // a template of pairs that loses the second text
        "json/regex_big_interval.json",     // expressions of more steps than are allowed,
        "json/regex_nested_interval.json",
        "json/regex_recursion.json",        // and those that no search in linear time can follow
        "json/regex_conditional.json",
        "json/regex_keep.json",
    ];

    public static IEnumerable<object[]> Cases() => Expected.Read("goldens", "tokenizers", "hostile", "cases.json")
        .GetProperty("cases").EnumerateArray().Select(c => new object[] { c.GetProperty("file").GetString()! });

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Is_refused_or_read_as_the_reference_does(string file)
    {
        JsonElement golden = Expected.Read("goldens", "tokenizers", "hostile", "cases.json")
            .GetProperty("cases").EnumerateArray().First(c => c.GetProperty("file").GetString() == file);
        string expect = golden.GetProperty("expect").GetString()!;
        Stopwatch clock = Stopwatch.StartNew();
        Exception? error = Record.Exception(() => Run(golden, file, expect));
        Skip.If(error is SkipException, error?.Message);
        Assert.True(error is null or TokenizerFormatException or InvalidOperationException, error?.ToString());
        if (expect == "same")
        {
            Assert.True(error is null || s_stricter.Contains(file), error?.ToString());
        }
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"took {clock.Elapsed}");
    }

    private static void Run(JsonElement golden, string file, string expect)
    {
        Tokenizer tokenizer = expect == "same"
            ? Expected.OrPending(() => Tokenizer.Load(SharedFolder.Get("goldens", "tokenizers", "hostile", file)))
            : Tokenizer.Load(SharedFolder.Get("goldens", "tokenizers", "hostile", file));
        JsonElement[] results = [.. Expected.List(golden.GetProperty("reference"), "results")];
        Dictionary<string, JsonElement> known = results.Where(r => !r.TryGetProperty("error", out _)).ToDictionary(r => r.GetProperty("text").GetString()!);
        bool refused = false;
        foreach (string text in Expected.Strings(golden.GetProperty("texts")))
        {
            int[] ids;
            try
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                ids = Encode(tokenizer, text, file);
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1L << 30);
            }
            catch (InvalidOperationException) when (!known.ContainsKey(text))
            {
                refused = true;
                continue;
            }
            if (known.TryGetValue(text, out JsonElement result) && result.TryGetProperty("ids", out JsonElement wanted) && wanted.ValueKind == JsonValueKind.Array)
            {
                Assert.Equal((text, string.Join(' ', Expected.Ints(wanted))), (text, string.Join(' ', ids)));
            }
        }
        Assert.False(expect == "error" && !refused, "was read, expected an error");
    }

    private static int[] Encode(Tokenizer tokenizer, string text, string file)
    {
        if (!file.StartsWith("json", StringComparison.Ordinal))
        {
            tokenizer.EncodeSpecialTokens = true;
            return tokenizer.Encode(text, addSpecialTokens: false).Ids;
        }
        return tokenizer.Encode(text).Ids;
    }
}
