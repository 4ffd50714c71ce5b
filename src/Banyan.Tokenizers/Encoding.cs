namespace Banyan.Tokenizers;

/// <summary>A token's span [Start, End) in Unicode code points of the text that was given.</summary>
/// <param name="Start">First code point.</param>
/// <param name="End">Code point after the last.</param>
public readonly record struct TokenOffsets(int Start, int End);

/// <summary>
/// A text as tokens. All arrays have one entry per token. Offsets count Unicode code points of the original text (within
/// each word for pre-tokenized input, within each sequence for pairs); special tokens have (0, 0).
/// </summary>
public sealed class Encoding
{
    internal Encoding(List<EncodedToken> items, IReadOnlyList<Encoding>? overflowing = null)
    {
        Items = items;
        Overflowing = overflowing ?? [];
    }

    /// <summary>Number of tokens.</summary>
    public int Count => Items.Count;

    /// <summary>Token ids: what the model reads.</summary>
    public int[] Ids => field ??= Map(t => t.Id);

    /// <summary>The tokens as written in the vocabulary.</summary>
    public string[] Tokens => field ??= Map(t => t.Token);

    /// <summary>Spans in code points of the text.</summary>
    public TokenOffsets[] Offsets => field ??= Map(t => new TokenOffsets(t.Start, t.End));

    /// <summary>Spans in UTF-8 bytes of the text.</summary>
    /// <param name="text">The text that was encoded.</param>
    /// <param name="pair">The second text of a pair.</param>
    public TokenOffsets[] ByteOffsets(string text, string? pair = null)
    {
        int[][] starts = [ByteStarts(text), ByteStarts(pair ?? "")];
        return Map(t => t.Sequence < 0 ? default : new TokenOffsets(starts[t.Sequence][t.Start], starts[t.Sequence][t.End]));
    }

    /// <summary>The segment of each token (0 for the first sequence and 1 for the second, unless a template says otherwise).</summary>
    public int[] TypeIds => field ??= Map(t => t.TypeId);

    /// <summary>Index of the word (piece of the pre-tokenizer) of each token; null for special tokens.</summary>
    public int?[] Words => field ??= Map(t => t.Word < 0 ? (int?)null : t.Word);

    /// <summary>Index of the sequence of each token (0, or 1 in the second of a pair); null for special tokens.</summary>
    public int?[] SequenceIds => field ??= Map(t => t.Sequence < 0 ? (int?)null : t.Sequence);

    /// <summary>1 for tokens that were added around the text and for padding, else 0.</summary>
    public int[] SpecialTokensMask => field ??= Map(t => t.Special ? 1 : 0);

    /// <summary>0 for padding, else 1.</summary>
    public int[] AttentionMask => field ??= Map(t => t.Padding ? 0 : 1);

    /// <summary>What truncation cut off, in further encodings; empty without truncation.</summary>
    public IReadOnlyList<Encoding> Overflowing { get; internal set; }

    internal List<EncodedToken> Items { get; }

    // The byte at which each code point begins, and the end.
    private static int[] ByteStarts(string text)
    {
        List<int> starts = [0];
        for (int i = 0; i < text.Length; i += Text.Runes.Width(text, i))
        {
            Text.Runes.Decode(text, i, out int rune);
            starts.Add(starts[^1] + Text.Runes.Utf8Length(rune));
        }
        return [.. starts];
    }

    private T[] Map<T>(Func<EncodedToken, T> select)
    {
        T[] result = new T[Items.Count];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = select(Items[i]);
        }
        return result;
    }
}

/// <summary>One token of an <see cref="Encoding"/>; Word and Sequence are -1 for tokens that stand for no text.</summary>
internal readonly record struct EncodedToken(
    int Id, string Token, int Start, int End, int TypeId, int Word, int Sequence, bool Special = false, bool Padding = false);
