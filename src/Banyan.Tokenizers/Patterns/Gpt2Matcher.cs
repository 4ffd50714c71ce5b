namespace Banyan.Tokenizers.Patterns;

/// <summary>
/// GPT-2: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal sealed class Gpt2Matcher : PieceMatcher
{
    private const CharClass Words = CharClass.Letter | CharClass.Number | CharClass.Space;

    public override int Match(ReadOnlySpan<char> text, int start)
    {
        int contraction = Contraction(text, start, ignoreCase: false);
        if (contraction > 0)
        {
            return start + contraction;
        }
        CharClass c = CharClasses.At(text, start, out int width);
        int i = start;
        if (text[start] == ' ' && start + 1 < text.Length)
        {
            i = start + 1;
            c = CharClasses.At(text, i, out width);
        }
        if ((c & CharClass.Letter) != 0)
        {
            return RunEnd(text, i + width, CharClass.Letter);
        }
        if ((c & CharClass.Number) != 0)
        {
            return RunEnd(text, i + width, CharClass.Number);
        }
        return (c & CharClass.Space) == 0
            ? RunEnd(text, i + width, Words, inside: false)
            : SpaceEnd(text, start, RunEnd(text, i + width, CharClass.Space));
    }
}
