using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>Changes text before it is cut into pieces; alignments to the user's text are kept.</summary>
internal abstract class Normalizer
{
    /// <summary>The name in a tokenizer.json.</summary>
    public abstract string Type { get; }

    public abstract AlignedText Normalize(AlignedText text);

    /// <summary>A quick test: true means that the text stays as it is; false promises nothing.</summary>
    public virtual bool IsUnchanged(ReadOnlySpan<char> text) => text.IsEmpty;

    public string Normalize(string text) => Normalize(AlignedText.FromOriginal(text, 0)).ToString();

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("type", Type);
        WriteFields(writer);
        writer.WriteEndObject();
    }

    protected abstract void WriteFields(Utf8JsonWriter writer);
}
