using System.Text.Json;

namespace Banyan.Checkpoints;

/// <summary>
/// The two ways in which Python libraries put numbers that JSON does not have into configurations: bare <c>NaN</c>, <c>Infinity</c> and
/// <c>-Infinity</c> (Python's json module), and <c>{"__float__": "Infinity"}</c> (transformers 5).
/// </summary>
internal static class PythonJson
{
    private const string FloatKey = "__float__";

    /// <summary>Turns the bare words into <c>{"__float__": ...}</c>; other text is returned as it is.</summary>
    public static ReadOnlyMemory<byte> QuoteNonFinite(ReadOnlySpan<byte> utf8)
    {
        using var output = new MemoryStream(utf8.Length + 16);
        int copied = 0;
        for (int i = 0; i < utf8.Length; i++)
        {
            if (utf8[i] == '"')
            {
                i = EndOfText(utf8, i);
            }
            else if (WordAt(utf8[i..]) is { Length: > 0 } word)
            {
                output.Write(utf8[copied..i]);
                output.Write(System.Text.Encoding.UTF8.GetBytes($"{{\"{FloatKey}\":\"{word}\"}}"));
                copied = i + word.Length;
                i = copied - 1;
            }
        }
        output.Write(utf8[copied..]);
        return output.ToArray();
    }

    public static bool TryNonFinite(JsonElement value, out double number)
    {
        number = 0;
        if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(FloatKey, out JsonElement word) || word.ValueKind != JsonValueKind.String)
        {
            return false;
        }
        number = word.ValueEquals("NaN") ? double.NaN : word.ValueEquals("Infinity") ? double.PositiveInfinity : double.NegativeInfinity;
        return !double.IsNegativeInfinity(number) || word.ValueEquals("-Infinity");
    }

    private static string? WordAt(ReadOnlySpan<byte> text) => text[0] switch
    {
        (byte)'N' when text.StartsWith("NaN"u8) => "NaN",
        (byte)'I' when text.StartsWith("Infinity"u8) => "Infinity",
        (byte)'-' when text.StartsWith("-Infinity"u8) => "-Infinity",
        _ => null,
    };

    private static int EndOfText(ReadOnlySpan<byte> utf8, int start)
    {
        int i = start + 1;
        while (i < utf8.Length && utf8[i] != '"')
        {
            i += utf8[i] == '\\' ? 2 : 1;
        }
        return i;
    }
}
