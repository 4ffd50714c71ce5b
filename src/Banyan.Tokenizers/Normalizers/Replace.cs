using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.PreTokenizers;
using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>Writes a fixed content in place of each match of a pattern.</summary>
internal sealed class Replace(TextPattern pattern, string content) : Normalizer
{
    /// <summary>The longest text that replacing may make of one text.</summary>
    private const int MaxLength = 1 << 28;

    public override string Type => "Replace";

    public override AlignedText Normalize(AlignedText text) => Write(text, pattern, content);

    /// <summary>Spaces become another character.</summary>
    public static AlignedText Spaces(AlignedText text, string replacement) =>
        text.Span.Contains(' ') ? Write(text, TextPattern.Fixed(" "), replacement) : text;

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        pattern.Write(writer);
        writer.WriteString("content", content);
    }

    private static AlignedText Write(AlignedText text, TextPattern pattern, string content)
    {
        Rewriter writer = new(text);
        foreach (MatchPart part in pattern.Find(text.Span))
        {
            if (!part.IsMatch)
            {
                writer.CopyTo(part.End);
                continue;
            }
            if (writer.Output.Length + (long)content.Length > MaxLength)
            {
                throw new InvalidOperationException($"the normalizer Replace makes a text longer than {MaxLength} characters; encode it in parts");
            }
            writer.SkipTo(part.End);
            for (int i = 0; i < content.Length;)
            {
                i += Runes.Decode(content, i, out int rune);
                writer.Insert(rune);
            }
        }
        return writer.Output;
    }
}
