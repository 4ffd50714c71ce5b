namespace Banyan.Tokenizers.Patterns;

/// <summary>
/// o200k: words split where a lower-case letter meets an upper-case one; contractions stay with their word.
/// With U = Lu Lt Lm Lo M and V = Ll Lm Lo M:
/// <c>[^\r\n\p{L}\p{N}]?U*V+C?|[^\r\n\p{L}\p{N}]?U+V*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal sealed class O200kMatcher : PieceMatcher
{
    private const CharClass NotSymbol = CharClass.Letter | CharClass.Number | CharClass.Space;

    public override int Match(ReadOnlySpan<char> text, int start)
    {
        CharClass c = CharClasses.At(text, start, out int width);
        if ((c & CharClass.Number) != 0)
        {
            return NumberEnd(text, start, 3);
        }
        int next = start + width;
        bool prefix = (c & (CharClass.LineEnd | CharClass.Letter)) == 0;
        int word = Word(text, start, prefix ? next : start);
        if (word > start)
        {
            return word + Contraction(text, word, ignoreCase: true);
        }
        bool symbol = (c & CharClass.Space) == 0
            || (text[start] == ' ' && next < text.Length && (CharClasses.At(text, next, out _) & NotSymbol) == 0);
        if (symbol)
        {
            return SymbolEnd(text, next);
        }
        int end = RunEnd(text, start, CharClass.Space);
        int line = LineEnd(text, start, end);
        return line > 0 ? line : SpaceEnd(text, start, end);
    }

    /// <summary>Both word alternatives, each with the optional prefix first and then without; -1 where none matches.</summary>
    private static int Word(ReadOnlySpan<char> text, int start, int afterPrefix)
    {
        int end = UpperThenLower(text, afterPrefix);
        if (end < 0 && afterPrefix != start)
        {
            end = UpperThenLower(text, start);
        }
        if (end >= 0)
        {
            return end;
        }
        int upper = RunEnd(text, afterPrefix, CharClass.Upper);
        if (upper == afterPrefix)
        {
            upper = RunEnd(text, start, CharClass.Upper);
            return upper > start ? RunEnd(text, upper, CharClass.Lower) : -1;
        }
        return RunEnd(text, upper, CharClass.Lower);
    }

    /// <summary><c>U*V+</c>. Where no V follows the run of U, the run gives back code points until its last one is a V.</summary>
    private static int UpperThenLower(ReadOnlySpan<char> text, int i)
    {
        int upper = RunEnd(text, i, CharClass.Upper);
        int lower = RunEnd(text, upper, CharClass.Lower);
        if (lower > upper)
        {
            return lower;
        }
        while (upper > i)
        {
            int before = upper - 1;
            if (before > i && char.IsLowSurrogate(text[before]) && char.IsHighSurrogate(text[before - 1]))
            {
                before--;
            }
            if ((CharClasses.At(text, before, out _) & CharClass.Lower) != 0)
            {
                return upper;
            }
            upper = before;
        }
        return -1;
    }

    private static int SymbolEnd(ReadOnlySpan<char> text, int i)
    {
        i = RunEnd(text, i, NotSymbol, inside: false);
        while (i < text.Length && text[i] is '\r' or '\n' or '/')
        {
            i++;
        }
        return i;
    }
}
