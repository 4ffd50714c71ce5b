using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>Writes a string before a text that is not empty.</summary>
internal sealed class Prepend(string prefix) : Normalizer
{
    public override string Type => "Prepend";

    public override AlignedText Normalize(AlignedText text) => text.Length == 0 || prefix.Length == 0 ? text : Write(text, prefix);

    protected override void WriteFields(Utf8JsonWriter writer) => writer.WriteString("prepend", prefix);

    /// <summary>The first character of the prefix takes the place of the text's first, which follows as inserted: both have its span.</summary>
    public static AlignedText Write(AlignedText text, string prefix)
    {
        Rewriter writer = new(text);
        for (int i = 0; i < prefix.Length;)
        {
            int width = Runes.Decode(prefix, i, out int rune);
            writer.Write(rune, i == 0 ? 0 : 1);
            i += width;
        }
        Runes.Decode(text.Span, 0, out int first);
        writer.Insert(first);
        writer.CopyTo(text.Length);
        return writer.Output;
    }
}
