using Banyan.Tokenizers.Models;

namespace Banyan.Tokenizers.Pipeline;

/// <summary>The path that keeps everything: text to tokens with their offsets.</summary>
internal sealed class TextEncoder(TokenizerParts parts)
{
    /// <summary>One sequence, without special tokens.</summary>
    public Encoding Encode(ReadOnlySpan<char> text, int typeId)
    {
        List<EncodedToken> items = [];
        Append(text, typeId, -1, items);
        return new(items);
    }

    /// <summary>A sequence given as words: each word is cut by itself, and offsets count within it.</summary>
    public Encoding EncodeWords(IReadOnlyList<string> words, int typeId)
    {
        List<EncodedToken> items = [];
        for (int i = 0; i < words.Count; i++)
        {
            Append(words[i], typeId, i, items);
        }
        return new(items);
    }

    private void Append(ReadOnlySpan<char> text, int typeId, int word, List<EncodedToken> items)
    {
        List<Piece> pieces = parts.Added.Extract(text);
        pieces = parts.PreTokenizer?.Apply(pieces) ?? pieces;
        List<ModelToken> tokens = [];
        for (int i = 0; i < pieces.Count; i++)
        {
            Piece piece = pieces[i];
            int index = word >= 0 ? word : i;
            if (piece.TokenId >= 0)
            {
                items.Add(new(piece.TokenId, piece.Span.ToString(), piece.Text.StartOf(piece.Start), piece.Text.EndOf(piece.End - 1), typeId, index, 0));
                continue;
            }
            tokens.Clear();
            parts.Model.Tokenize(piece.Span, tokens);
            AppendTokens(piece, tokens, typeId, index, items);
        }
    }

    private void AppendTokens(Piece piece, List<ModelToken> tokens, int typeId, int word, List<EncodedToken> items)
    {
        ByteMap map = new(piece.Span);
        foreach (ModelToken token in tokens)
        {
            string text = token.Text ?? parts.Model.IdToToken(token.Id) ?? "";
            if (token.Start == token.End)
            {
                items.Add(new(token.Id, text, piece.Origin + token.Start, piece.Origin + token.End, typeId, word, 0));
                continue;
            }
            int start = piece.Text.StartOf(piece.Start + map.UnitOf(token.Start));
            int end = piece.Text.EndOf(piece.Start + map.UnitOf(token.End - 1));
            items.Add(new(token.Id, text, start, end, typeId, word, 0));
        }
    }
}
