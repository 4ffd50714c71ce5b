using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.PreTokenizers;
using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.Decoders;

/// <summary>Decoders that change each token by itself, given its place among the tokens.</summary>
internal sealed class TokenDecoder(string type, TokenDecoder.Change change, Action<Utf8JsonWriter> fields) : Decoder
{
    /// <summary>What a token becomes; <paramref name="last"/> is the index of the last one.</summary>
    public delegate string Change(string token, int index, int last);

    public override string Type => type;

    public override List<string> Chain(List<string> tokens) => Map(tokens, (t, i) => change(t, i, tokens.Count - 1));

    protected override void WriteFields(Utf8JsonWriter writer) => fields(writer);

    public static TokenDecoder Bpe(string suffix) => new(
        "BPEDecoder",
        (t, i, last) => suffix.Length == 0 ? t : t.Replace(suffix, i == last ? "" : " ", StringComparison.Ordinal),
        w => w.WriteString("suffix", suffix));

    public static TokenDecoder Metaspace(string replacement, PrependScheme scheme, bool split) => new(
        "Metaspace",
        (t, i, _) => t.Replace(replacement, i == 0 && scheme != PrependScheme.Never ? "" : " ", StringComparison.Ordinal),
        w => PreTokenizers.Metaspace.WriteFields(w, replacement, scheme, split));

    public static TokenDecoder WordPiece(string prefix, bool cleanup) => new(
        "WordPiece",
        (t, i, _) =>
        {
            string text = i == 0 ? t : t.StartsWith(prefix, StringComparison.Ordinal) ? t[prefix.Length..] : " " + t;
            return cleanup ? EnglishSpaces.Clean(text) : text;
        },
        w =>
        {
            w.WriteString("prefix", prefix);
            w.WriteBoolean("cleanup", cleanup);
        });

    public static TokenDecoder Replace(TextPattern pattern, string content) => new(
        "Replace",
        (t, _, _) => string.Concat(pattern.Find(t).Select(p => p.IsMatch ? content : t[p.Start..p.End])),
        w =>
        {
            pattern.Write(w);
            w.WriteString("content", content);
        });

    public static TokenDecoder Strip(string content, int start, int stop) => new(
        "Strip",
        (t, _, _) => Strip(t, content, start, stop),
        w =>
        {
            w.WriteString("content", content);
            w.WriteNumber("start", start);
            w.WriteNumber("stop", stop);
        });

    /// <summary>Takes up to so many characters off each end.</summary>
    private static string Strip(string token, string content, int start, int stop)
    {
        ReadOnlySpan<char> rest = token;
        for (int i = 0; i < start && !rest.IsEmpty && rest.StartsWith(content); i++)
        {
            rest = rest[content.Length..];
        }
        for (int i = 0; i < stop && !rest.IsEmpty && rest.EndsWith(content); i++)
        {
            rest = rest[..^content.Length];
        }
        return rest.ToString();
    }
}
