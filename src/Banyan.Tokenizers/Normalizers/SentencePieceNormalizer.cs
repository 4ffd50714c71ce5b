using Banyan.Tokenizers.Formats;
using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>
/// SentencePiece's normalizer (Kudo and Richardson 2018): the character map applied to the longest prefix at each place, user-defined
/// pieces left as they are, extra spaces removed, spaces made visible. In a tokenizer.json it is written as Hugging Face's
/// nearest sequence, which differs in rare texts (composed characters, line ends at the edges).
/// </summary>
internal sealed class SentencePieceNormalizer(SentencePieceProto proto, CharsMap? map, CharTrie userDefined) : Normalizer
{
    public const char Visible = '\u2581';

    private readonly char _space = proto.EscapeWhitespaces ? Visible : ' ';

    public override string Type => "Sequence";

    public override AlignedText Normalize(AlignedText text)
    {
        Rewriter writer = new(text);
        int start = proto.RemoveExtraWhitespaces ? SkipSpaces(text.Span) : 0;
        if (start == text.Length)
        {
            return writer.Output;
        }
        writer.SkipTo(start);
        if (proto.AddDummyPrefix && !proto.WhitespaceAsSuffix)
        {
            writer.Insert(_space);
        }
        bool afterSpace = proto.RemoveExtraWhitespaces;
        for (int i = start; i < text.Length;)
        {
            ReadOnlySpan<char> to = Next(text.Span[i..], out int width);
            to = afterSpace ? to.TrimStart(' ') : to;
            Write(to, Runes.Count(text.Span.Slice(i, width)), ref writer);
            i += width;
            writer.SkipTo(i);
            afterSpace = to.IsEmpty ? afterSpace : proto.RemoveExtraWhitespaces && to[^1] == ' ';
        }
        if (proto.RemoveExtraWhitespaces)
        {
            writer.Output.Truncate(writer.Output.Span.TrimEnd(_space).Length);
        }
        if (proto.AddDummyPrefix && proto.WhitespaceAsSuffix)
        {
            writer.Insert(_space);
        }
        return writer.Output;
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        if (proto.WhitespaceAsSuffix)
        {
            throw new InvalidOperationException("tokenizer.json has no form for a SentencePiece model with treat_whitespace_as_suffix; keep its .model file");
        }
        writer.WriteStartArray("normalizers");
        foreach (Normalizer part in Equivalent())
        {
            part.Write(writer);
        }
        writer.WriteEndArray();
    }

    private List<Normalizer> Equivalent()
    {
        List<Normalizer> parts = [];
        if (map is not null)
        {
            parts.Add(new Precompiled(map, proto.CharsMap));
        }
        if (proto.RemoveExtraWhitespaces)
        {
            parts.Add(new Strip(left: true, right: true));
            parts.Add(new Replace(TextPattern.Regex(TextPattern.SpaceRuns), " "));
        }
        if (proto.AddDummyPrefix)
        {
            parts.Add(new Prepend(_space.ToString()));
        }
        if (proto.EscapeWhitespaces)
        {
            parts.Add(new Replace(TextPattern.Fixed(" "), Visible.ToString()));
        }
        return parts;
    }

    private int SkipSpaces(ReadOnlySpan<char> text)
    {
        int i = 0;
        while (i < text.Length && Next(text[i..], out int width) is " ")
        {
            i += width;
        }
        return i;
    }

    /// <summary>What the longest known prefix becomes, and its length in units.</summary>
    private ReadOnlySpan<char> Next(ReadOnlySpan<char> text, out int width)
    {
        width = userDefined.Longest(text, out _);
        if (width > 0)
        {
            return text[..width];
        }
        if (map?.Longest(text, out width) is { } to)
        {
            return to;
        }
        width = Runes.Width(text, 0);
        return text[..width];
    }

    private void Write(ReadOnlySpan<char> to, int sources, ref Rewriter writer)
    {
        for (int i = 0, done = 0; i < to.Length; done++)
        {
            i += Runes.Decode(to, i, out int rune);
            writer.Write(rune == ' ' ? _space : rune, done < sources ? 0 : 1);
        }
    }
}
