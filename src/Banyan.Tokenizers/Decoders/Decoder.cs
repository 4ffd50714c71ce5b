using System.Text.Json;

namespace Banyan.Tokenizers.Decoders;

/// <summary>Turns token strings back into text.</summary>
internal abstract class Decoder
{
    /// <summary>The name in a tokenizer.json.</summary>
    public abstract string Type { get; }

    /// <summary>One step: tokens to tokens. The text is what remains, joined.</summary>
    public abstract List<string> Chain(List<string> tokens);

    /// <summary>
    /// Appends what a token stands for as UTF-8 (perhaps a part of a character), where that does not depend on its neighbours;
    /// false where it may.
    /// </summary>
    public virtual bool TryAppend(string token, List<byte> utf8) => false;

    public string Decode(List<string> tokens) => string.Concat(Chain(tokens));

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("type", Type);
        WriteFields(writer);
        writer.WriteEndObject();
    }

    protected virtual void WriteFields(Utf8JsonWriter writer)
    {
    }

    protected static List<string> Map(List<string> tokens, Func<string, int, string> change)
    {
        List<string> result = new(tokens.Count);
        for (int i = 0; i < tokens.Count; i++)
        {
            result.Add(change(tokens[i], i));
        }
        return result;
    }
}
