using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>Removes white space at the ends.</summary>
internal sealed class Strip(bool left, bool right) : Normalizer
{
    public override string Type => "Strip";

    public override AlignedText Normalize(AlignedText text)
    {
        int start = 0, end = text.Length;
        while (left && start < end && Runes.IsWhiteSpace(text.Span[start]))
        {
            start++;
        }
        while (right && end > start && Runes.IsWhiteSpace(text.Span[end - 1]))
        {
            end--;
        }
        AlignedText result = new(end - start, text.Origin);
        result.Append(text, start, end);
        return result;
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteBoolean("strip_left", left);
        writer.WriteBoolean("strip_right", right);
    }
}
