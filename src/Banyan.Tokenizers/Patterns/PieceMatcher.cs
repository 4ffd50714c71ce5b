namespace Banyan.Tokenizers.Patterns;

/// <summary>
/// Cuts text into pieces that follow each other without gaps, as the patterns of byte-level tokenizers do.
/// </summary>
internal abstract class PieceMatcher
{
    /// <summary>The end of the piece that begins at <paramref name="start"/> (always further on).</summary>
    public abstract int Match(ReadOnlySpan<char> text, int start);

    /// <summary>The hand-written matcher of a known pattern, or null.</summary>
    public static PieceMatcher? ForPattern(string pattern) => KnownPatterns.Find(pattern);

    /// <summary>Units taken by a contraction of the kind 's 't 're 've 'm 'll 'd at <paramref name="i"/>, or 0.</summary>
    protected static int Contraction(ReadOnlySpan<char> text, int i, bool ignoreCase)
    {
        if (i + 1 >= text.Length || text[i] != '\'')
        {
            return 0;
        }
        char a = Fold(text[i + 1], ignoreCase);
        if (a is 's' or 't' or 'm' or 'd')
        {
            return 2;
        }
        if (i + 2 >= text.Length)
        {
            return 0;
        }
        char b = Fold(text[i + 2], ignoreCase);
        return (a, b) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }

    /// <summary>The end of the run of code points that have any of the classes (or none of them, when inverted).</summary>
    protected static int RunEnd(ReadOnlySpan<char> text, int i, CharClass classes, bool inside = true)
    {
        while (i < text.Length)
        {
            bool has = (CharClasses.At(text, i, out int width) & classes) != 0;
            if (has != inside)
            {
                break;
            }
            i += width;
        }
        return i;
    }

    /// <summary><c>\p{N}{1,max}</c> from a position that holds a number.</summary>
    protected static int NumberEnd(ReadOnlySpan<char> text, int i, int max)
    {
        for (int count = 0; i < text.Length && count < max; count++)
        {
            if ((CharClasses.At(text, i, out int width) & CharClass.Number) == 0)
            {
                break;
            }
            i += width;
        }
        return i;
    }

    /// <summary><c>\s+(?!\S)|\s+</c>: a run of spaces leaves its last one to the word behind it.</summary>
    protected static int SpaceEnd(ReadOnlySpan<char> text, int start, int runEnd) =>
        runEnd < text.Length && runEnd - start > 1 ? runEnd - 1 : runEnd;

    /// <summary><c>\s*[\r\n]+</c>: up to the last line end of the run of spaces, or -1 where it has none.</summary>
    protected static int LineEnd(ReadOnlySpan<char> text, int start, int runEnd)
    {
        int last = text[start..runEnd].LastIndexOfAny('\r', '\n');
        return last < 0 ? -1 : start + last + 1;
    }

    // U+017F (long s) is the one letter outside ASCII that folds onto these.
    private static char Fold(char c, bool ignoreCase) => !ignoreCase ? c : c == 'ſ' ? 's' : (char)(c | 0x20);
}
