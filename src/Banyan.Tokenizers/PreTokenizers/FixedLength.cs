using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>Cuts every so many code points (DNA k-mers, for example).</summary>
internal sealed class FixedLength(int length) : PreTokenizer
{
    public override string Type => "FixedLength";

    protected override void Split(Piece piece, List<Piece> output) => SplitPiece(piece, output);

    /// <summary>Appends the parts of one piece; the last may be empty.</summary>
    public void SplitPiece(Piece piece, List<Piece> output)
    {
        int start = piece.Start, count = 0;
        for (int i = piece.Start; i < piece.End;)
        {
            i += Runes.Width(piece.Text.Span, i);
            if (++count == length)
            {
                output.Add(piece with { Start = start, End = i });
                (start, count) = (i, 0);
            }
        }
        output.Add(piece with { Start = start });
    }

    protected override void WriteFields(Utf8JsonWriter writer) => writer.WriteNumber("length", length);
}
