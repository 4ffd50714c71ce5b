using Banyan.Tokenizers.Pipeline;
using System.Text.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>BERT: cuts at white space and makes every punctuation character a piece.</summary>
internal sealed class BertPreTokenizer : PreTokenizer
{
    private static readonly CharSplit s_spaces = CharSplit.WhitespaceSplit();
    private static readonly CharSplit s_punctuation = CharSplit.Punctuation(SplitBehavior.Isolated);

    public override string Type => "BertPreTokenizer";

    public override List<Piece> Apply(List<Piece> pieces) => s_punctuation.Apply(s_spaces.Apply(pieces));

    protected override void Split(Piece piece, List<Piece> output) => output.Add(piece);

    protected override void WriteFields(Utf8JsonWriter writer)
    {
    }
}
