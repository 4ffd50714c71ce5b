using System.Globalization;
using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>
/// Full case mapping as Unicode's SpecialCasing has it, where one letter becomes several and the final sigma has a form of its own; .NET maps
/// letter by letter.
/// </summary>
internal static class CaseMapping
{
    // Letters whose capital is more than one letter (the ones that occur in running text; those with iota subscripts follow a rule).
    private static readonly Dictionary<char, string> s_upper = new()
    {
        ['ß'] = "SS", ['ŉ'] = "ʼN", ['ǰ'] = "J\u030C", ['ΐ'] = "\u0399\u0308\u0301", ['ΰ'] = "\u03A5\u0308\u0301", ['և'] = "ԵՒ",
        ['ẖ'] = "H\u0331", ['ẗ'] = "T\u0308", ['ẘ'] = "W\u030A", ['ẙ'] = "Y\u030A", ['ẚ'] = "Aʾ",
        ['ﬀ'] = "FF", ['ﬁ'] = "FI", ['ﬂ'] = "FL", ['ﬃ'] = "FFI", ['ﬄ'] = "FFL", ['ﬅ'] = "ST", ['ﬆ'] = "ST",
        ['ﬓ'] = "ՄՆ", ['ﬔ'] = "ՄԵ", ['ﬕ'] = "ՄԻ", ['ﬖ'] = "ՎՆ", ['ﬗ'] = "ՄԽ",
    };

    // Digraphs that have a third case for titles.
    private const string Titles = "ǄǅǅǅǆǅǇǈǈǈǉǈǊǋǋǋǌǋǱǲǲǲǳǲ";

    public static string Upper(string text)
    {
        var to = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            to.Append(Upper(rune));
        }
        return to.ToString();
    }

    private static string Upper(Rune rune) => rune.IsBmp && s_upper.TryGetValue((char)rune.Value, out string? several) ? several : Rune.ToUpperInvariant(rune).ToString();

    /// <summary>The form of a letter at the start of a word.</summary>
    private static string Title(Rune rune)
    {
        if (rune.IsBmp)
        {
            for (int i = 0; i < Titles.Length; i += 2)
            {
                if (Titles[i] == rune.Value)
                {
                    return Titles[i + 1].ToString();
                }
            }
            if (s_upper.TryGetValue((char)rune.Value, out string? several) && several[0] < 0x300)
            {
                return several[..1] + Lower(several[1..]);
            }
        }
        return Upper(rune);
    }

    public static string Lower(string text)
    {
        var to = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == 'Σ')
            {
                to.Append(IsFinal(text, i) ? 'ς' : 'σ');
            }
            else if (text[i] == 'İ')
            {
                to.Append("i\u0307");
            }
            else if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                to.Append(Rune.ToLowerInvariant(new Rune(text[i], text[++i])));
            }
            else
            {
                to.Append(char.ToLowerInvariant(text[i]));
            }
        }
        return to.ToString();
    }

    // A sigma after a letter and before none; marks between do not count.
    private static bool IsFinal(string text, int at)
    {
        int before = at - 1, after = at + 1;
        while (before >= 0 && IsIgnorable(text[before]))
        {
            before--;
        }
        while (after < text.Length && IsIgnorable(text[after]))
        {
            after++;
        }
        return before >= 0 && IsCased(new Rune(text[before] is var b && char.IsSurrogate(b) ? ' ' : b)) && !(after < text.Length && char.IsLetter(text[after]) && IsCased(new Rune(text[after])));
    }

    private static bool IsIgnorable(char c) => c is '\'' or '.' or ':' or '·' or '\u2019' or '\u00AD' or '^' or '`'
        || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol;

    public static bool IsCased(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    public static string Capitalize(string text)
    {
        if (text.Length == 0)
        {
            return text;
        }
        int first = char.IsSurrogatePair(text, 0) ? 2 : 1;
        string lower = Lower(text);
        // The first letter's lower form may be longer than it: lower the rest in its context.
        return Title(Rune.GetRuneAt(text, 0)) + lower[Lower(text[..first]).Length..];
    }

    /// <summary>Python's <c>str.title()</c>: every run of letters is a word.</summary>
    public static string TitleWords(string text)
    {
        var to = new StringBuilder(text.Length);
        int start = -1;
        for (int i = 0; i <= text.Length; i += i < text.Length && char.IsSurrogatePair(text, i) ? 2 : 1)
        {
            bool cased = i < text.Length && Rune.TryGetRuneAt(text, i, out Rune rune) && IsCased(rune);
            if (cased && start < 0)
            {
                start = i;
            }
            if (!cased)
            {
                if (start >= 0)
                {
                    to.Append(Capitalize(text[start..i]));
                    start = -1;
                }
                if (i < text.Length)
                {
                    to.Append(text, i, char.IsSurrogatePair(text, i) ? 2 : 1);
                }
            }
        }
        return to.ToString();
    }

    public static string Swap(string text)
    {
        var to = new StringBuilder(text.Length);
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bool upper = Rune.GetUnicodeCategory(rune) == UnicodeCategory.UppercaseLetter;
            to.Append(!upper ? Upper(rune) : rune.Value == 'Σ' ? (IsFinal(text, at) ? "ς" : "σ") : Lower(rune.ToString()));
            at += rune.Utf16SequenceLength;
        }
        return to.ToString();
    }

    public static string Fold(string text) => Lower(string.Concat(text.EnumerateRunes().Select(r => r.IsBmp && s_upper.TryGetValue((char)r.Value, out string? s) ? Lower(s) : r.ToString())).Replace('Σ', 'σ').Replace('ς', 'σ'));
}
