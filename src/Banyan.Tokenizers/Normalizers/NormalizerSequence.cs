using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>Several normalizers, one after another.</summary>
internal sealed class NormalizerSequence(Normalizer[] normalizers) : Normalizer
{
    public override string Type => "Sequence";

    public override AlignedText Normalize(AlignedText text) =>
        normalizers.Aggregate(text, (current, normalizer) => normalizer.Normalize(current));

    public override bool IsUnchanged(ReadOnlySpan<char> text)
    {
        foreach (Normalizer n in normalizers)
        {
            if (!n.IsUnchanged(text))
            {
                return false;
            }
        }
        return true;
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("normalizers");
        foreach (Normalizer n in normalizers)
        {
            n.Write(writer);
        }
        writer.WriteEndArray();
    }
}
