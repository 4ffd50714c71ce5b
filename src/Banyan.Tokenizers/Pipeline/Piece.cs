using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Pipeline;

/// <summary>A part of a text on its way to the model, or an added token that was found (<paramref name="TokenId"/> at least 0).</summary>
/// <param name="Text">The text that holds the part.</param>
/// <param name="Start">First UTF-16 unit.</param>
/// <param name="End">Unit after the last.</param>
/// <param name="TokenId">Id of the added token, or -1.</param>
internal readonly record struct Piece(AlignedText Text, int Start, int End, int TokenId = -1)
{
    public int Length => End - Start;

    public ReadOnlySpan<char> Span => Text.Span[Start..End];

    /// <summary>The original code point where this piece begins.</summary>
    public int Origin => Start < Text.Length ? Text.StartOf(Start) : Text.Origin;

    /// <summary>The piece as a text of its own, ready to be rewritten.</summary>
    public AlignedText ToText()
    {
        AlignedText copy = new(Length, Origin);
        copy.Append(Text, Start, End);
        return copy;
    }
}
