using System.Text.Json;

namespace Banyan.Tokenizers.Models;

/// <summary>Each piece is one token, or the unknown token.</summary>
internal sealed class WordLevel(Vocabulary vocabulary, string unkToken) : TokenModel
{
    public override string Type => "WordLevel";

    public override int VocabSize => vocabulary.Count;

    public override int MaxId => vocabulary.MaxId;

    public override IEnumerable<KeyValuePair<string, int>> Vocab => vocabulary.ById;

    public override int TokenToId(ReadOnlySpan<char> token) => vocabulary.IdOf(token);

    public override string? IdToToken(int id) => vocabulary.TokenOf(id);

    public override void Tokenize(ReadOnlySpan<char> piece, List<ModelToken> output)
    {
        int id = vocabulary.IdOf(piece);
        output.Add(new(id >= 0 ? id : RequireUnknown(unkToken), 0, System.Text.Encoding.UTF8.GetByteCount(piece)));
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        vocabulary.Write(writer);
        writer.WriteString("unk_token", unkToken);
    }
}
