namespace Banyan.Tokenizers.Patterns;

/// <summary>
/// The family of cl100k, Llama-3, Qwen2 and Qwen3.5:
/// <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?W+|\p{N}{1,d}| ?[^\s W \p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>
/// with W = <c>\p{L}</c> or <c>[\p{L}\p{M}]</c> and d = 1 or 3.
/// </summary>
/// <param name="word">The classes of W.</param>
/// <param name="digits">The most digits in one piece.</param>
/// <param name="trailingSpaceWhole">tiktoken's <c>\s++$</c>: spaces at the end of the text stay together, line ends or not.</param>
internal sealed class Cl100kMatcher(CharClass word, int digits, bool trailingSpaceWhole) : PieceMatcher
{
    private readonly CharClass _word = word;
    private readonly CharClass _notSymbol = word | CharClass.Number | CharClass.Space;
    private readonly int _digits = digits;

    public override int Match(ReadOnlySpan<char> text, int start)
    {
        int contraction = Contraction(text, start, ignoreCase: true);
        if (contraction > 0)
        {
            return start + contraction;
        }
        CharClass c = CharClasses.At(text, start, out int width);
        if ((c & CharClass.Letter) != 0)
        {
            return RunEnd(text, start + width, _word);
        }
        if ((c & CharClass.Number) != 0)
        {
            return NumberEnd(text, start, _digits);
        }
        int next = start + width;
        CharClass after = CharClass.Space;
        int afterWidth = 0;
        if (next < text.Length)
        {
            after = CharClasses.At(text, next, out afterWidth);
            if ((c & CharClass.LineEnd) == 0 && (after & _word) != 0)
            {
                return RunEnd(text, next + afterWidth, _word);
            }
        }
        if ((c & _word) != 0)
        {
            return next; // a lone mark
        }
        bool symbol = (c & CharClass.Space) == 0 || (text[start] == ' ' && (after & _notSymbol) == 0);
        return symbol ? SymbolEnd(text, next) : Spaces(text, start);
    }

    private int SymbolEnd(ReadOnlySpan<char> text, int i)
    {
        i = RunEnd(text, i, _notSymbol, inside: false);
        return RunEnd(text, i, CharClass.LineEnd);
    }

    private int Spaces(ReadOnlySpan<char> text, int start)
    {
        int end = RunEnd(text, start, CharClass.Space);
        if (trailingSpaceWhole && end == text.Length)
        {
            return end;
        }
        int line = LineEnd(text, start, end);
        return line > 0 ? line : SpaceEnd(text, start, end);
    }
}
