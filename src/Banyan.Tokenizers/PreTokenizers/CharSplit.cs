using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.Text;
using System.Globalization;
using System.Text.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>Splits at code points of one kind: digits, punctuation, white space, a delimiter.</summary>
internal sealed class CharSplit(string type, Func<int, bool> isMatch, SplitBehavior behavior, Action<Utf8JsonWriter>? fields = null) : PreTokenizer
{
    public override string Type => type;

    public static CharSplit Digits(bool individual) => new(
        "Digits", IsNumeric, individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous, w => w.WriteBoolean("individual_digits", individual));

    public static CharSplit Punctuation(SplitBehavior behavior) =>
        new("Punctuation", IsPunctuation, behavior, w => w.WriteString("behavior", behavior.ToString()));

    public static CharSplit Delimiter(string delimiter)
    {
        Runes.Decode(delimiter, 0, out int rune);
        return new("CharDelimiterSplit", r => r == rune, SplitBehavior.Removed, w => w.WriteString("delimiter", delimiter));
    }

    public static CharSplit WhitespaceSplit() => new("WhitespaceSplit", Runes.IsWhiteSpace, SplitBehavior.Removed);

    public static bool IsPunctuation(int rune) => rune < 0x80
        ? char.IsAscii((char)rune) && (char.IsPunctuation((char)rune) || char.IsSymbol((char)rune))
        : Runes.Category(rune) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;

    protected override void Split(Piece piece, List<Piece> output)
    {
        List<MatchPart> parts = [];
        ReadOnlySpan<char> text = piece.Span;
        int start = 0;
        for (int i = 0; i < text.Length;)
        {
            int width = Runes.Decode(text, i, out int rune);
            if (isMatch(rune))
            {
                AddGap(start, i, parts);
                parts.Add(new(i, i + width, true));
                start = i + width;
            }
            i += width;
        }
        AddGap(start, text.Length, parts);
        foreach (MatchPart part in SplitParts.Arrange(parts, behavior))
        {
            output.Add(piece with { Start = piece.Start + part.Start, End = piece.Start + part.End });
        }
    }

    protected override void WriteFields(Utf8JsonWriter writer) => fields?.Invoke(writer);

    private static void AddGap(int start, int end, List<MatchPart> parts)
    {
        if (start < end)
        {
            parts.Add(new(start, end, false));
        }
    }

    private static bool IsNumeric(int rune) =>
        Runes.Category(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;
}
