using System.Text.Json;

namespace Banyan.Tokenizers.Models;

/// <summary>A token of one piece: its id and its span in UTF-8 bytes of the piece.</summary>
/// <param name="Id">The token's id.</param>
/// <param name="Start">First byte.</param>
/// <param name="End">Byte after the last.</param>
/// <param name="Text">The token's own text where it differs from the vocabulary's (an unknown piece of Unigram).</param>
internal readonly record struct ModelToken(int Id, int Start, int End, string? Text = null);

/// <summary>Turns one piece of text into tokens. Safe for concurrent use.</summary>
internal abstract class TokenModel
{
    /// <summary>The name in a tokenizer.json.</summary>
    public abstract string Type { get; }

    /// <summary>Number of tokens, added tokens not counted.</summary>
    public abstract int VocabSize { get; }

    /// <summary>The largest id, or -1.</summary>
    public abstract int MaxId { get; }

    /// <summary>Appends the tokens of <paramref name="piece"/>.</summary>
    public abstract void Tokenize(ReadOnlySpan<char> piece, List<ModelToken> output);

    /// <summary>The id of a token, or -1.</summary>
    public abstract int TokenToId(ReadOnlySpan<char> token);

    /// <summary>The text of a token, or null.</summary>
    public abstract string? IdToToken(int id);

    public abstract IEnumerable<KeyValuePair<string, int>> Vocab { get; }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("type", Type);
        WriteFields(writer);
        writer.WriteEndObject();
    }

    /// <summary>The id of the unknown token, which a text needs now.</summary>
    protected int RequireUnknown(string token) => TokenToId(token) is >= 0 and int id
        ? id
        : throw new InvalidOperationException($"the unknown token \"{token}\" is not in the vocabulary, but the text needs it");

    protected abstract void WriteFields(Utf8JsonWriter writer);
}
