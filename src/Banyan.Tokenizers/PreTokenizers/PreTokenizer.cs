using Banyan.Tokenizers.Pipeline;
using System.Text.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>Cuts text into the pieces that a model sees one by one; some also rewrite them.</summary>
internal abstract class PreTokenizer
{
    /// <summary>The name in a tokenizer.json.</summary>
    public abstract string Type { get; }

    /// <summary>Appends the parts of one piece; empty parts are dropped by the caller.</summary>
    protected abstract void Split(Piece piece, List<Piece> output);

    /// <summary>Cuts every piece that is not an added token.</summary>
    public virtual List<Piece> Apply(List<Piece> pieces)
    {
        List<Piece> output = new(pieces.Count * 2);
        foreach (Piece piece in pieces)
        {
            if (piece.TokenId >= 0)
            {
                output.Add(piece);
                continue;
            }
            int from = output.Count;
            Split(piece, output);
            DropEmpty(output, from);
        }
        return output;
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("type", Type);
        WriteFields(writer);
        writer.WriteEndObject();
    }

    protected abstract void WriteFields(Utf8JsonWriter writer);

    private static void DropEmpty(List<Piece> pieces, int from)
    {
        int kept = from;
        for (int i = from; i < pieces.Count; i++)
        {
            if (pieces[i].Length > 0)
            {
                pieces[kept++] = pieces[i];
            }
        }
        pieces.RemoveRange(kept, pieces.Count - kept);
    }
}
