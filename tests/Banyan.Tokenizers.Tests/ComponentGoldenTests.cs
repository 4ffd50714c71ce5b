using System.Text.Json;
using Banyan.Testing;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Tests;

/// <summary>The stages of a tokenizer one by one, and truncation and padding, against the reference.</summary>
[Trait("Category", "Golden")]
public sealed class ComponentGoldenTests
{
    public static IEnumerable<object[]> Normalizers() => Golden.Files("*.json", "goldens", "tokenizers", "components", "normalizers");

    public static IEnumerable<object[]> PreTokenizers() => Golden.Files("*.json", "goldens", "tokenizers", "components", "pre_tokenizers");

    public static IEnumerable<object[]> Decoders() => Golden.Files("*.json", "goldens", "tokenizers", "components", "decoders");

    public static IEnumerable<object[]> PostProcessors() => Golden.Files("*.json", "goldens", "tokenizers", "components", "post_processors");

    public static IEnumerable<object[]> Lengths() => Expected.Read("goldens", "tokenizers", "truncation_padding", "vectors.json").EnumerateObject()
        .Where(p => p.Value.ValueKind == JsonValueKind.Array).SelectMany(p => Enumerable.Range(0, p.Value.GetArrayLength()).Select(i => new object[] { p.Name, i }));

    [GoldenTheory, MemberData(nameof(Normalizers))]
    public void Normalizer_equals_the_reference(string name)
    {
        JsonElement golden = Expected.Read("goldens", "tokenizers", "components", "normalizers", name);
        TokenizerParts parts = With("normalizer", golden);
        foreach (JsonElement one in golden.GetProperty("cases").EnumerateArray())
        {
            string text = one.GetProperty("in").GetString()!;
            AlignedText normalized = AlignedText.FromOriginal(text, 0);
            normalized = parts.Normalizer is null ? normalized : parts.Normalizer.Normalize(normalized);
            Assert.Equal((text, Expected.TextOrNull(one, "out") ?? text), (text, normalized.ToString()));
            if (one.TryGetProperty("spans", out JsonElement spans))
            {
                Assert.Equal(Expected.Ints(spans), Spans(normalized));
            }
        }
    }

    // A pair for each code point.
    private static int[] Spans(AlignedText text)
    {
        var spans = new List<int>();
        for (int i = 0; i < text.Length; i += char.IsHighSurrogate(text.Span[i]) ? 2 : 1)
        {
            spans.AddRange([text.StartOf(i), text.EndOf(i)]);
        }
        return [.. spans];
    }

    [GoldenTheory, MemberData(nameof(PreTokenizers))]
    public void PreTokenizer_equals_the_reference(string name)
    {
        JsonElement golden = Expected.Read("goldens", "tokenizers", "components", "pre_tokenizers", name);
        TokenizerParts parts = With("pre_tokenizer", golden);
        foreach (JsonElement one in golden.GetProperty("cases").EnumerateArray())
        {
            string text = one.GetProperty("in").GetString()!;
            AlignedText whole = AlignedText.FromOriginal(text, 0);
            List<Piece> pieces = text.Length == 0 ? [] : parts.PreTokenizer!.Apply([new Piece(whole, 0, whole.Length)]);
            string expected = string.Join('|', one.GetProperty("pieces").EnumerateArray().Select(p => $"{p[0].GetString()} {p[1].GetInt32()} {p[2].GetInt32()}"));
            Assert.Equal((text, expected), (text, string.Join('|', pieces.Where(p => p.Length > 0).Select(p => $"{p.Span} {p.Text.StartOf(p.Start)} {p.Text.EndOf(p.End - 1)}"))));
        }
    }

    [GoldenTheory, MemberData(nameof(Decoders))]
    public void Decoder_equals_the_reference(string name)
    {
        JsonElement golden = Expected.Read("goldens", "tokenizers", "components", "decoders", name);
        TokenizerParts parts = With("decoder", golden);
        foreach (JsonElement one in golden.GetProperty("cases").EnumerateArray())
        {
            string[] tokens = Expected.Strings(one.GetProperty("tokens"));
            if (!one.TryGetProperty("out", out JsonElement wanted))
            {
                parts.Decoder!.Decode([.. tokens]); // The reference panics here; ours has to give some text.
                continue;
            }
            Assert.Equal((string.Join('|', tokens), wanted.GetString()), (string.Join('|', tokens), parts.Decoder!.Decode([.. tokens])));
        }
    }

    private static TokenizerParts With(string stage, JsonElement golden) => Expected.OrPending(() => Tokenizer.FromJson(
        $$$"""{"version":"1.0","{{{stage}}}":{{{golden.GetProperty(stage).GetRawText()}}},"model":{"type":"WordLevel","vocab":{"[UNK]":0},"unk_token":"[UNK]"} }""")).Parts;

    [GoldenTheory, MemberData(nameof(PostProcessors))]
    public void PostProcessor_equals_the_reference(string name)
    {
        JsonElement golden = Expected.Read("goldens", "tokenizers", "components", "post_processors", name);
        Tokenizer tokenizer = Expected.OrPending(() => Tokenizer.FromJson(golden.GetProperty("tokenizer").GetRawText()));
        foreach (JsonElement one in golden.GetProperty("cases").EnumerateArray())
        {
            string text = one.GetProperty("text").GetString()!, what = $"{name} {one.GetRawText()[..Math.Min(120, one.GetRawText().Length)]}";
            if (one.TryGetProperty("error", out _) || one.TryGetProperty("panic", out _))
            {
                continue; // any orderly end will do
            }
            tokenizer.Truncation = one.TryGetProperty("truncation", out JsonElement t) ? new Truncation
            {
                MaxLength = t.GetProperty("max_length").GetInt32(), Stride = t.TryGetProperty("stride", out JsonElement stride) ? stride.GetInt32() : 0,
                Strategy = t.TryGetProperty("strategy", out JsonElement strategy) ? Enum.Parse<TruncationStrategy>(strategy.GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true) : TruncationStrategy.LongestFirst,
            } : null;
            bool special = !one.TryGetProperty("special_added", out JsonElement added) || added.GetBoolean();
            // A template that repeats a sequence: the reference remembers the place of the last one only.
            string? except = name == "Template_repeat_A.json" ? "seq" : null;
            Expected.Check(one, Expected.TextOrNull(one, "pair") is { } pair ? tokenizer.Encode(text, pair, special) : tokenizer.Encode(text, special), what, except);
        }
    }

    [GoldenTheory, MemberData(nameof(Lengths))]
    public void Truncation_and_padding_equal_the_reference(string kind, int index)
    {
        JsonElement golden = Expected.Read("goldens", "tokenizers", "truncation_padding", "vectors.json"), one = golden.GetProperty(kind)[index];
        Tokenizer tokenizer = Tokenizer.FromJson(golden.GetProperty("tokenizer").GetRawText());
        tokenizer.Truncation = one.TryGetProperty("truncation", out JsonElement t) ? Truncate(t) : null;
        tokenizer.Padding = one.TryGetProperty("padding", out JsonElement p) ? Pad(p) : null;
        if (kind == "truncation")
        {
            string text = one.GetProperty("text").GetString()!;
            if (one.TryGetProperty("error", out _))
            {
                Assert.ThrowsAny<Exception>(() => Encode(tokenizer, one, text));
                return;
            }
            Expected.Check(one, Encode(tokenizer, one, text), t.GetRawText());
            return;
        }
        Encoding[] batch = tokenizer.EncodeBatch(Expected.Strings(one.GetProperty("batch")));
        JsonElement[] wanted = [.. one.GetProperty("out").EnumerateArray()];
        Assert.Equal(wanted.Length, batch.Length);
        for (int i = 0; i < batch.Length; i++)
        {
            Expected.Check(wanted[i], batch[i], $"{kind} {index}, text {i}");
        }
    }

    private static Encoding Encode(Tokenizer tokenizer, JsonElement one, string text) =>
        Expected.TextOrNull(one, "pair") is { } pair ? tokenizer.Encode(text, pair) : tokenizer.Encode(text);

    private static string Plain(JsonElement value) => value.GetString()!.Replace("_", "").ToLowerInvariant();

    private static Side Towards(JsonElement options) => Plain(options.GetProperty("direction")) == "left" ? Side.Left : Side.Right;

    private static Truncation Truncate(JsonElement t) => new(t.GetProperty("max_length").GetInt32(), t.GetProperty("stride").GetInt32(), Plain(t.GetProperty("strategy")) switch
    {
        "onlyfirst" => TruncationStrategy.OnlyFirst,
        "onlysecond" => TruncationStrategy.OnlySecond,
        _ => TruncationStrategy.LongestFirst,
    }, Towards(t));

    private static Padding Pad(JsonElement p)
    {
        int? length = p.TryGetProperty("length", out JsonElement l) && l.ValueKind == JsonValueKind.Number ? l.GetInt32()
            : p.TryGetProperty("strategy", out JsonElement s) && s.ValueKind == JsonValueKind.Object ? s.GetProperty("Fixed").GetInt32() : null;
        int? multiple = p.GetProperty("pad_to_multiple_of") is { ValueKind: JsonValueKind.Number } m ? m.GetInt32() : null;
        return new Padding(length, Towards(p), multiple, p.GetProperty("pad_id").GetInt32(), p.GetProperty("pad_type_id").GetInt32(), p.GetProperty("pad_token").GetString()!);
    }
}
