using System.Globalization;

namespace Banyan.Tokenizers.Text;

/// <summary>Code points of UTF-16 text. A lone surrogate reads as U+FFFD, as if the text had gone through UTF-8.</summary>
internal static class Runes
{
    public const int Replacement = 0xFFFD;

    /// <summary>Texts by their code points: other than by UTF-16 units, where those beyond U+FFFF stand before U+E000.</summary>
    public static IComparer<string> Order { get; } = Comparer<string>.Create(static (a, b) =>
    {
        int same = a.AsSpan().CommonPrefixLength(b);
        if (same == a.Length || same == b.Length)
        {
            return a.Length.CompareTo(b.Length);
        }
        bool first = char.IsSurrogate(a[same]), second = char.IsSurrogate(b[same]);
        return first == second ? a[same].CompareTo(b[same]) : (first ? a[same] + 0x10000 : a[same]).CompareTo(second ? b[same] + 0x10000 : b[same]);
    });

    /// <summary>The code point at <paramref name="i"/>; returns how many units it takes (1 or 2).</summary>
    public static int Decode(ReadOnlySpan<char> text, int i, out int rune)
    {
        char c = text[i];
        rune = c;
        if (!char.IsSurrogate(c))
        {
            return 1;
        }
        if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
        {
            rune = char.ConvertToUtf32(c, text[i + 1]);
            return 2;
        }
        rune = Replacement;
        return 1;
    }

    public static int Width(ReadOnlySpan<char> text, int i) =>
        char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 2 : 1;

    /// <summary>The code point that ends just before <paramref name="i"/>; returns its width.</summary>
    public static int DecodeBefore(ReadOnlySpan<char> text, int i, out int rune)
    {
        int start = i >= 2 && char.IsLowSurrogate(text[i - 1]) && char.IsHighSurrogate(text[i - 2]) ? i - 2 : i - 1;
        return Decode(text, start, out rune);
    }

    public static int Utf8Length(int rune) => rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;

    public static int Count(ReadOnlySpan<char> text)
    {
        int count = 0;
        for (int i = 0; i < text.Length; i += Width(text, i))
        {
            count++;
        }
        return count;
    }

    public static UnicodeCategory Category(int rune) => CharUnicodeInfo.GetUnicodeCategory(rune);

    /// <summary>Unicode White_Space.</summary>
    public static bool IsWhiteSpace(int rune) => rune < 0x10000 && char.IsWhiteSpace((char)rune);

    /// <summary>A word character of the regex <c>\w</c> (UTS 18): letters, marks, decimal digits and letter numbers, connectors, joiners, letters in circles.</summary>
    public static bool IsWord(int rune)
    {
        if (rune < 0x80)
        {
            return char.IsAsciiLetterOrDigit((char)rune) || rune == '_';
        }
        return Category(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark
            or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.DecimalDigitNumber
            or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation
            || rune is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169)
                or (>= 0x1F170 and <= 0x1F189);
    }

    /// <summary>Full lower-casing of one code point without context (U+0130 alone gives two).</summary>
    public static int ToLower(int rune, out int second)
    {
        second = rune == 0x130 ? 0x307 : 0;
        return rune == 0x130 ? 'i' : System.Text.Rune.IsValid(rune) ? System.Text.Rune.ToLowerInvariant(new(rune)).Value : rune;
    }
}
