using Banyan.Tokenizers.Pipeline;
using System.Text.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>Several pre-tokenizers, one after another.</summary>
internal sealed class PreTokenizerSequence(PreTokenizer[] parts) : PreTokenizer
{
    public override string Type => "Sequence";

    public PreTokenizer[] Parts => parts;

    public override List<Piece> Apply(List<Piece> pieces) => parts.Aggregate(pieces, (current, part) => part.Apply(current));

    protected override void Split(Piece piece, List<Piece> output) => output.Add(piece);

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("pretokenizers");
        foreach (PreTokenizer part in parts)
        {
            part.Write(writer);
        }
        writer.WriteEndArray();
    }
}
