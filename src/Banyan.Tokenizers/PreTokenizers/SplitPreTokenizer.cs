using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.Pipeline;
using System.Text.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>Splits at the matches of a pattern, or at what lies between them (<paramref name="invert"/>).</summary>
internal sealed class SplitPreTokenizer(TextPattern pattern, SplitBehavior behavior, bool invert) : PreTokenizer
{
    public override string Type => "Split";

    /// <summary>The hand-written matcher, where matches cover the text and each is a piece.</summary>
    public PieceMatcher? IsolatedMatcher => behavior == SplitBehavior.Isolated ? pattern.Matcher : null;

    protected override void Split(Piece piece, List<Piece> output)
    {
        List<MatchPart> parts = pattern.Find(piece.Span);
        if (invert)
        {
            parts = parts.ConvertAll(p => p with { IsMatch = !p.IsMatch });
        }
        foreach (MatchPart part in SplitParts.Arrange(parts, behavior).Where(p => p.End > p.Start))
        {
            output.Add(piece with { Start = piece.Start + part.Start, End = piece.Start + part.End });
        }
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        pattern.Write(writer);
        writer.WriteString("behavior", behavior.ToString());
        writer.WriteBoolean("invert", invert);
    }
}
