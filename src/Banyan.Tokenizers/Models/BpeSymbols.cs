using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Models;

/// <summary>
/// The symbols that a BPE piece begins with: one per character; an unknown character becomes its bytes
/// (byte_fallback), the unknown token, or nothing.
/// </summary>
internal static class BpeSymbols
{
    public static void Add(ReadOnlySpan<char> piece, Bpe model, MergeWord word)
    {
        BpeOptions options = model.Options;
        int unkId = -1, unkLength = 0; // an unknown run that is not written yet
        for (int i = 0; i < piece.Length;)
        {
            if (options.UserDefined?.Longest(piece[i..], out int token) is > 0 and int units)
            {
                Flush(word, ref unkId, ref unkLength);
                word.Add(token, System.Text.Encoding.UTF8.GetByteCount(piece.Slice(i, units)));
                i += units;
                continue;
            }
            int width = Runes.Decode(piece, i, out int rune);
            int bytes = Runes.Utf8Length(rune);
            int id = SymbolId(piece.Slice(i, width), i == 0, i + width == piece.Length, model, out string? decorated);
            if (id >= 0)
            {
                Flush(word, ref unkId, ref unkLength);
                word.Add(id, bytes);
            }
            else if (options.ByteFallback && AddBytes(decorated, piece.Slice(i, width), model, word))
            {
                // Hugging Face writes the bytes before an unknown run that is still pending; so do we.
            }
            else if (options.UnkToken is not null)
            {
                if (unkId >= 0 && !options.FuseUnk)
                {
                    Flush(word, ref unkId, ref unkLength);
                }
                unkId = UnkId(model);
                unkLength += bytes;
            }
            i += width;
        }
        Flush(word, ref unkId, ref unkLength);
    }

    private static int UnkId(Bpe model)
    {
        int id = model.TokenToId(model.Options.UnkToken);
        return id >= 0
            ? id
            : throw new InvalidOperationException(
                $"the unknown token \"{model.Options.UnkToken}\" is not in the vocabulary, but the text holds a character that needs it");
    }

    private static void Flush(MergeWord word, ref int unkId, ref int unkLength)
    {
        if (unkId >= 0)
        {
            word.Add(unkId, unkLength);
            (unkId, unkLength) = (-1, 0);
        }
    }

    private static int SymbolId(ReadOnlySpan<char> character, bool first, bool last, Bpe model, out string? decorated)
    {
        BpeOptions options = model.Options;
        string? prefix = first ? null : options.ContinuingSubwordPrefix;
        string? suffix = last ? options.EndOfWordSuffix : null;
        decorated = prefix is null && suffix is null ? null : string.Concat(prefix, character, suffix);
        return model.SymbolId(decorated ?? character);
    }

    /// <summary>All bytes of the character as tokens, or nothing at all where one is missing.</summary>
    private static bool AddBytes(string? decorated, ReadOnlySpan<char> character, Bpe model, MergeWord word)
    {
        byte[] utf8 = System.Text.Encoding.UTF8.GetBytes(decorated ?? character.ToString());
        if (utf8.Any(b => model.ByteId(b) < 0))
        {
            return false;
        }
        foreach (byte b in utf8)
        {
            word.Add(model.ByteId(b), 1);
        }
        return true;
    }
}
