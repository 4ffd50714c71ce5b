using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>Keeps runs of word characters and runs of other characters (<c>\w+|[^\w\s]+</c>); drops white space.</summary>
internal sealed class WhitespacePreTokenizer : PreTokenizer
{
    public override string Type => "Whitespace";

    protected override void Split(Piece piece, List<Piece> output)
    {
        int start = piece.Start, kind = 0;
        for (int i = piece.Start; i < piece.End;)
        {
            int width = Runes.Decode(piece.Text.Span, i, out int rune);
            int next = Runes.IsWord(rune) ? 1 : Runes.IsWhiteSpace(rune) ? 0 : 2;
            if (next != kind)
            {
                Add(piece, start, i, kind, output);
                (start, kind) = (i, next);
            }
            i += width;
        }
        Add(piece, start, piece.End, kind, output);
    }

    protected override void WriteFields(Utf8JsonWriter writer)
    {
    }

    private static void Add(Piece piece, int start, int end, int kind, List<Piece> output)
    {
        if (kind != 0)
        {
            output.Add(piece with { Start = start, End = end });
        }
    }
}
