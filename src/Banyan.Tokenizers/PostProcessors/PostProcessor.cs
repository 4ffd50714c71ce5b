using System.Text.Json;

namespace Banyan.Tokenizers.PostProcessors;

/// <summary>Puts special tokens around one or two encoded sequences, or corrects their offsets.</summary>
internal abstract class PostProcessor
{
    /// <summary>The name in a tokenizer.json.</summary>
    public abstract string Type { get; }

    /// <summary>How many tokens will be added.</summary>
    public abstract int AddedTokens(bool pair);

    /// <summary>The sequences with what belongs between and around them, still to be joined.</summary>
    public abstract List<Encoding> Process(List<Encoding> encodings, bool addSpecialTokens);

    /// <summary>Numbers the sequences, processes and joins them.</summary>
    public static Encoding Run(PostProcessor? processor, Encoding first, Encoding? second, bool addSpecialTokens)
    {
        List<Encoding> encodings = second is null ? [first] : [first, second];
        for (int i = 0; i < encodings.Count; i++)
        {
            int type = i;
            EncodingParts.Rewrite(encodings[i], t => t with { TypeId = type, Sequence = type });
            foreach (Encoding o in encodings[i].Overflowing)
            {
                EncodingParts.Rewrite(o, t => t with { Sequence = type });
            }
        }
        return EncodingParts.Join(processor?.Process(encodings, addSpecialTokens) ?? encodings);
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("type", Type);
        WriteFields(writer);
        writer.WriteEndObject();
    }

    protected abstract void WriteFields(Utf8JsonWriter writer);
}
