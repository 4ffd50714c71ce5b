using System.Collections.Concurrent;
using System.Globalization;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Patterns.Regex;

/// <summary>The sets that a regular expression can name: classes, Unicode properties, POSIX brackets, and what differs in case only.</summary>
internal static class RuneSets
{
    private static readonly ConcurrentDictionary<string, RuneSet?> s_named = new(StringComparer.Ordinal);

    private static readonly Lazy<Dictionary<int, int[]>> s_cases = new(ReadCases);

    public static RuneSet Digit => Named("nd")!;

    public static RuneSet Word => Named("word")!;

    public static RuneSet Space => Named("space")!;

    public static RuneSet HexDigit => Named("xdigit")!;

    /// <summary>The set of a property (<c>L</c>, <c>Lu</c>, <c>Han</c>, <c>Alpha</c>); case, spaces, hyphens and underscores do not count. Null: unknown.</summary>
    public static RuneSet? Named(string name) => s_named.GetOrAdd(string.Concat(name.Where(c => c is not (' ' or '-' or '_'))).ToLowerInvariant(), Make);

    /// <summary>A set with all that differs from its members in case only.</summary>
    public static RuneSet WithCases(RuneSet set)
    {
        HashSet<int> more = [];
        foreach ((int rune, int[] equal) in s_cases.Value)
        {
            if (set.Contains(rune))
            {
                more.UnionWith(equal);
            }
        }
        return more.Count == 0 ? set : set.Or(RuneSet.Of([.. more]));
    }

    private static RuneSet? Make(string name)
    {
        Func<int, bool>? contains = name switch
        {
            "any" => static _ => true,
            "ascii" => static r => r < 0x80,
            "word" => static r => Runes.IsWord(r) && r is not (0x200C or 0x200D), // where Unicode's definition has the joiners, Oniguruma's has not
            "space" or "whitespace" => Runes.IsWhiteSpace,
            "digit" or "nd" or "decimalnumber" => static r => Runes.Category(r) == UnicodeCategory.DecimalDigitNumber,
            "xdigit" or "asciihexdigit" => static r => r < 0x80 && char.IsAsciiHexDigit((char)r),
            "blank" => static r => r == '\t' || Runes.Category(r) == UnicodeCategory.SpaceSeparator,
            "cntrl" => static r => Runes.Category(r) == UnicodeCategory.Control,
            "upper" or "uppercase" => static r => Runes.Category(r) == UnicodeCategory.UppercaseLetter || IsCircled(r, 0x24B6, 0x24CF) || r is >= 0x2160 and <= 0x216F,
            "lower" or "lowercase" => static r => Runes.Category(r) == UnicodeCategory.LowercaseLetter || IsCircled(r, 0x24D0, 0x24E9) || r is >= 0x2170 and <= 0x217F or 0xAA or 0xBA,
            "alpha" or "alphabetic" => static r => IsAlphabetic(r),
            "alnum" => static r => IsAlphabetic(r) || Runes.Category(r) == UnicodeCategory.DecimalDigitNumber,
            "punct" => static r => IsKind(r, 'P') || IsKind(r, 'S'), // Oniguruma counts symbols in
            "graph" => static r => !Runes.IsWhiteSpace(r) && Runes.Category(r) is not (UnicodeCategory.Control or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate),
            "print" => static r => Runes.Category(r) is not (UnicodeCategory.Control or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator),
            _ => null,
        };
        contains ??= Category(name) ?? Script(name);
        return contains is null ? null : RuneSet.Where(contains);
    }

    private static Func<int, bool>? Category(string name)
    {
        string kind = name switch
        {
            "letter" => "l", "mark" => "m", "number" => "n", "punctuation" => "p", "symbol" => "s", "separator" => "z", "other" => "c",
            "uppercaseletter" => "lu", "lowercaseletter" => "ll", "titlecaseletter" => "lt", "modifierletter" => "lm", "otherletter" => "lo",
            _ => name,
        };
        if (kind.Length == 1 && "lmnpszc".Contains(kind[0], StringComparison.Ordinal))
        {
            return r => IsKind(r, char.ToUpperInvariant(kind[0]));
        }
        int index = Array.IndexOf(s_categories, kind);
        return index >= 0 ? r => (int)Runes.Category(r) == index : null;
    }

    // In the order of UnicodeCategory.
    private static readonly string[] s_categories =
    [
        "lu", "ll", "lt", "lm", "lo", "mn", "mc", "me", "nd", "nl", "no", "zs", "zl", "zp", "cc", "cf", "cs", "co", "pc", "pd", "ps", "pe", "pi", "pf", "po", "sm", "sc", "sk", "so", "cn",
    ];

    private static bool IsKind(int rune, char kind) => char.ToUpperInvariant(s_categories[(int)Runes.Category(rune)][0]) == kind;

    // Letters, letter numbers, circled letters, and marks that are vowels. .NET has no table of Alphabetic: of the marks, the ranges in use today are taken.
    private static bool IsAlphabetic(int rune) => IsKind(rune, 'L') || Runes.Category(rune) == UnicodeCategory.LetterNumber || IsCircled(rune, 0x24B6, 0x24E9)
        || Runes.Category(rune) == UnicodeCategory.SpacingCombiningMark || (Runes.Category(rune) == UnicodeCategory.NonSpacingMark && IsVowelSign(rune));

    private static bool IsVowelSign(int rune) => rune is 0x345 or (>= 0x363 and <= 0x36F) or (>= 0x5B0 and <= 0x5BD) or (>= 0x610 and <= 0x61A) or (>= 0x64B and <= 0x657) or (>= 0x900 and <= 0xDFF and not (0x93C or 0x94D or 0x9BC or 0x9CD or 0xA3C or 0xA4D or 0xABC or 0xACD or 0xB3C or 0xB4D or 0xBCD or 0xC4D or 0xCBC or 0xCCD or 0xD4D or 0xDCA))
        or 0xE31 or (>= 0xE34 and <= 0xE3A) or 0xE4D or 0xEB1 or (>= 0xEB4 and <= 0xEB9);

    private static bool IsCircled(int rune, int first, int last) => rune >= first && rune <= last;

    private static Func<int, bool>? Script(string name)
    {
        string? script = Scripts.Names.FirstOrDefault(s => string.Equals(s.Replace("_", "", StringComparison.Ordinal), name, StringComparison.OrdinalIgnoreCase));
        return script is null ? null : r => Scripts.Of(r) == script;
    }

    private static Dictionary<int, int[]> ReadCases()
    {
        Dictionary<int, List<int>> groups = [];
        for (int rune = 0; rune < 0x20000; rune++)
        {
            if (System.Text.Rune.IsValid(rune))
            {
                int upper = rune == 'ſ' ? 'S' : System.Text.Rune.ToUpperInvariant(new(rune)).Value;
                int key = System.Text.Rune.ToLowerInvariant(new(upper)).Value;
                if (key != rune || upper != rune)
                {
                    (groups.TryGetValue(key, out List<int>? group) ? group : groups[key] = [key]).Add(rune);
                }
            }
        }
        return groups.Values.Select(g => g.Distinct().ToArray()).SelectMany(g => g.Select(r => (r, g))).ToDictionary(p => p.r, p => p.g);
    }
}
