using Banyan.Tokenizers.Normalizers;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>Where the replacement is written before a text: never, before its first section only, or before every section.</summary>
internal enum PrependScheme
{
    Always,
    Never,
    First,
}

/// <summary>SentencePiece's way: a space becomes a visible character (U+2581), which begins each word.</summary>
internal sealed class Metaspace(string replacement, PrependScheme scheme, bool split) : PreTokenizer
{
    public override string Type => "Metaspace";

    protected override void Split(Piece piece, List<Piece> output)
    {
        AlignedText text = Replace.Spaces(piece.ToText(), replacement);
        bool prepend = scheme == PrependScheme.Always || (scheme == PrependScheme.First && piece.Origin == 0);
        if (prepend && !text.Span.StartsWith(replacement))
        {
            text = Prepend.Write(text, replacement);
        }
        int start = 0;
        for (int i = 1; split && i < text.Length; i++)
        {
            if (text.Span[i..].StartsWith(replacement))
            {
                output.Add(new(text, start, i));
                start = i;
            }
        }
        output.Add(new(text, start, text.Length));
    }

    protected override void WriteFields(Utf8JsonWriter writer) => WriteFields(writer, replacement, scheme, split);

    public static void WriteFields(Utf8JsonWriter writer, string replacement, PrependScheme scheme, bool split)
    {
        writer.WriteString("replacement", replacement);
        writer.WriteString("prepend_scheme", scheme.ToString().ToLowerInvariant());
        writer.WriteBoolean("split", split);
    }
}
