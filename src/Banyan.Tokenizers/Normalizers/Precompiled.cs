using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Text;
using System.Globalization;
using System.Text.Json;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>
/// SentencePiece's character map, as Hugging Face applies it: a short grapheme is looked up as a whole, then code point by code point.
/// </summary>
internal sealed class Precompiled(CharsMap map, byte[] bytes) : Normalizer
{
    private const int ShortGrapheme = 6; // bytes

    public override string Type => "Precompiled";

    public static Precompiled Read(JsonView view)
    {
        JsonView member = view.Member("precompiled_charsmap");
        try
        {
            byte[] bytes = Convert.FromBase64String(member.AsString());
            return new(CharsMap.Parse(bytes), bytes);
        }
        catch (Exception e) when (e is FormatException or InvalidDataException)
        {
            throw new TokenizerFormatException(view.File, member.Path, e.Message, e);
        }
    }

    public override AlignedText Normalize(AlignedText text)
    {
        Rewriter writer = new(text);
        for (int i = 0; i < text.Length;)
        {
            int end = i + StringInfo.GetNextTextElementLength(text.Span[i..]);
            ReadOnlySpan<char> grapheme = text.Span[i..end];
            if (System.Text.Encoding.UTF8.GetByteCount(grapheme) >= ShortGrapheme || !TryWrite(grapheme, ref writer))
            {
                WriteEach(grapheme, ref writer);
            }
            i = end;
        }
        return writer.Output;
    }

    protected override void WriteFields(Utf8JsonWriter writer) => writer.WriteString("precompiled_charsmap", Convert.ToBase64String(bytes));

    private void WriteEach(ReadOnlySpan<char> grapheme, ref Rewriter writer)
    {
        for (int i = 0; i < grapheme.Length;)
        {
            int width = Runes.Decode(grapheme, i, out int rune);
            if (!TryWrite(grapheme.Slice(i, width), ref writer))
            {
                writer.Replace(rune);
            }
            i += width;
        }
    }

    /// <summary>Code points are replaced one for one; those that are left over are inserted, or removed with the last one.</summary>
    private bool TryWrite(ReadOnlySpan<char> from, ref Rewriter writer)
    {
        if (map.Shortest(from) is not { } to)
        {
            return false;
        }
        int old = Runes.Count(from), count = Runes.Count(to), done = 0;
        for (int i = 0; i < to.Length; done++)
        {
            i += Runes.Decode(to, i, out int rune);
            writer.Write(rune, done >= old ? 1 : done == count - 1 ? count - old : 0);
        }
        if (count == 0)
        {
            writer.Remove(old);
        }
        return true;
    }
}
