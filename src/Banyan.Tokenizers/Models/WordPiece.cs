using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.Models;

/// <summary>BERT's model: the longest token that fits, again and again; a word that cannot be cut whole is unknown.</summary>
internal sealed class WordPiece(Vocabulary vocabulary, string unkToken, string prefix, int maxChars) : TokenModel
{
    private readonly int _longest = vocabulary.ById.Select(p => p.Key.Length).DefaultIfEmpty().Max();

    public override string Type => "WordPiece";

    public override int VocabSize => vocabulary.Count;

    public override int MaxId => vocabulary.MaxId;

    public override IEnumerable<KeyValuePair<string, int>> Vocab => vocabulary.ById;

    public override int TokenToId(ReadOnlySpan<char> token) => vocabulary.IdOf(token);

    public override string? IdToToken(int id) => vocabulary.TokenOf(id);

    public override void Tokenize(ReadOnlySpan<char> piece, List<ModelToken> output)
    {
        int from = output.Count;
        if (Runes.Count(piece) > maxChars || !TryCut(piece, output))
        {
            output.RemoveRange(from, output.Count - from);
            output.Add(new(RequireUnknown(unkToken), 0, System.Text.Encoding.UTF8.GetByteCount(piece)));
        }
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteString("unk_token", unkToken);
        writer.WriteString("continuing_subword_prefix", prefix);
        writer.WriteNumber("max_input_chars_per_word", maxChars);
        vocabulary.Write(writer);
    }

    private bool TryCut(ReadOnlySpan<char> piece, List<ModelToken> output)
    {
        Span<char> buffer = new char[Math.Min(_longest, prefix.Length + piece.Length)];
        int bytes = 0;
        for (int start = 0; start < piece.Length;)
        {
            int end = Longest(piece, start, buffer, out int id);
            if (end < 0)
            {
                return false;
            }
            int next = bytes + System.Text.Encoding.UTF8.GetByteCount(piece[start..end]);
            output.Add(new(id, bytes, next));
            (start, bytes) = (end, next);
        }
        return true;
    }

    private int Longest(ReadOnlySpan<char> piece, int start, Span<char> buffer, out int id)
    {
        int lead = start == 0 ? 0 : prefix.Length;
        for (int end = Math.Min(piece.Length, start + _longest - lead); end > start; end--)
        {
            if (char.IsHighSurrogate(piece[end - 1]))
            {
                continue;
            }
            prefix.AsSpan(0, lead).CopyTo(buffer);
            piece[start..end].CopyTo(buffer[lead..]);
            id = vocabulary.IdOf(buffer[..(lead + end - start)]);
            if (id >= 0)
            {
                return end;
            }
        }
        id = -1;
        return -1;
    }
}
