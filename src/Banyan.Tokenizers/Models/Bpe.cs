using Banyan.Tokenizers.Text;
using System.Text.Json;

namespace Banyan.Tokenizers.Models;

/// <summary>The settings of a BPE model, named as in tokenizer.json.</summary>
internal sealed record BpeOptions
{
    public double? Dropout { get; init; }

    public string? UnkToken { get; init; }

    public string? ContinuingSubwordPrefix { get; init; }

    public string? EndOfWordSuffix { get; init; }

    public bool FuseUnk { get; init; }

    public bool ByteFallback { get; init; }

    public bool IgnoreMerges { get; init; }

    /// <summary>Tokens of SentencePiece that are taken wherever they stand and never merge; saved as added tokens.</summary>
    public CharTrie? UserDefined { get; init; }
}

/// <summary>
/// Byte-pair encoding (Sennrich et al. 2016): a piece begins as its characters, then the adjacent pair that was learned
/// first merges, until none is left.
/// </summary>
internal sealed class Bpe : TokenModel
{
    /// <summary>SentencePiece's mark of a space.</summary>
    private const char VisibleSpace = '\u2581';

    private readonly Vocabulary _vocabulary;
    private readonly MergeTable _table;
    private readonly IReadOnlyList<(int Left, int Right)> _merges;
    private readonly BpeOptions _options;
    private readonly int[] _charIds = new int[0x180];   // ids of the characters that occur most, byte alphabet included
    private readonly int[]? _byteIds;                   // ids of <0x00> .. <0xFF>, or -1
    private readonly bool _splitsAtSpace;               // no merge reaches over the beginning of a word
    private readonly Random _random = new(0);
    private Scratch? _spare;

    /// <summary>One thread's working memory.</summary>
    private sealed class Scratch
    {
        public readonly MergeWord Word = new();
        public readonly WordCache Cache = new();
        public int[] Packed = new int[64];
    }

    public Bpe(Vocabulary vocabulary, MergeTable table, IReadOnlyList<(int Left, int Right)> merges, BpeOptions options)
    {
        (_vocabulary, _table, _merges, _options) = (vocabulary, table, merges, options);
        for (int c = 0; c < _charIds.Length; c++)
        {
            _charIds[c] = vocabulary.IdOf([(char)c]);
        }
        if (options.ByteFallback)
        {
            _byteIds = [.. Enumerable.Range(0, 256).Select(b => vocabulary.IdOf($"<0x{b:X2}>"))];
        }
        _splitsAtSpace = vocabulary.IdOf([VisibleSpace]) >= 0
            && options is { Dropout: null or 0, IgnoreMerges: false, UserDefined: null, ContinuingSubwordPrefix: null or "", EndOfWordSuffix: null or "" }
            && merges.All(m => vocabulary.TokenOf(m.Left)!.EndsWith(VisibleSpace) || !vocabulary.TokenOf(m.Right)!.StartsWith(VisibleSpace));
    }

    public override string Type => "BPE";

    public override int VocabSize => _vocabulary.Count;

    public override int MaxId => _vocabulary.MaxId;

    public override IEnumerable<KeyValuePair<string, int>> Vocab => _vocabulary.ById;

    public BpeOptions Options => _options;

    /// <summary>The merges in the order in which they were learned, as ids.</summary>
    public IReadOnlyList<(int Left, int Right)> Merges => _merges;

    public override int TokenToId(ReadOnlySpan<char> token) => _vocabulary.IdOf(token);

    public override string? IdToToken(int id) => _vocabulary.TokenOf(id);

    public override void Tokenize(ReadOnlySpan<char> piece, List<ModelToken> output)
    {
        Scratch scratch = Interlocked.Exchange(ref _spare, null) ?? new();
        int at = 0;
        while (!piece.IsEmpty)
        {
            int end = _splitsAtSpace ? WordEnd(piece) : piece.Length;
            Append(piece[..end], scratch, ref at, output);
            piece = piece[end..];
        }
        _spare = scratch;
    }

    /// <summary>A text of SentencePiece is one piece: where no merge crosses, its words can be looked up one by one.</summary>
    private static int WordEnd(ReadOnlySpan<char> piece)
    {
        int start = piece.IndexOfAnyExcept(VisibleSpace);
        int next = start < 0 ? -1 : piece[start..].IndexOf(VisibleSpace);
        return next < 0 ? piece.Length : start + next;
    }

    private void Append(ReadOnlySpan<char> piece, Scratch scratch, ref int at, List<ModelToken> output)
    {
        if (scratch.Cache.TryGet(piece, out ReadOnlySpan<int> packed))
        {
            for (int i = 0; i < packed.Length; i += 2)
            {
                output.Add(new(packed[i], at, at += packed[i + 1]));
            }
            return;
        }
        MergeWord word = Merge(piece, scratch.Word);
        for (int i = 0; i < word.Count; i++)
        {
            output.Add(new(word.Ids[i], at, at += word.Lengths[i]));
        }
        Remember(piece, scratch);
    }

    /// <summary>The tokens of a piece, in <paramref name="word"/>; nothing is remembered.</summary>
    public MergeWord Merge(ReadOnlySpan<char> piece, MergeWord word)
    {
        word.Clear();
        if (_options.IgnoreMerges && _vocabulary.IdOf(piece) is >= 0 and int whole)
        {
            word.Add(whole, System.Text.Encoding.UTF8.GetByteCount(piece));
            return word;
        }
        BpeSymbols.Add(piece, this, word);
        if (_options.Dropout is > 0 and double dropout)
        {
            lock (_random)
            {
                word.MergeWithDropout(_table, dropout, _random);
            }
            return word;
        }
        word.Merge(_table);
        return word;
    }

    /// <summary>The id of one character (with prefix or suffix), or -1.</summary>
    public int SymbolId(ReadOnlySpan<char> symbol) =>
        symbol.Length == 1 && symbol[0] < _charIds.Length ? _charIds[symbol[0]] : _vocabulary.IdOf(symbol);

    /// <summary>The id of the token of one byte (<c>&lt;0x0A&gt;</c>), or -1.</summary>
    public int ByteId(byte value) => _byteIds is null ? -1 : _byteIds[value];

    protected override void WriteFields(Utf8JsonWriter writer)
    {
        WriteNullable(writer, "dropout", _options.Dropout);
        writer.WriteString("unk_token", _options.UnkToken);
        writer.WriteString("continuing_subword_prefix", _options.ContinuingSubwordPrefix);
        writer.WriteString("end_of_word_suffix", _options.EndOfWordSuffix);
        writer.WriteBoolean("fuse_unk", _options.FuseUnk);
        writer.WriteBoolean("byte_fallback", _options.ByteFallback);
        writer.WriteBoolean("ignore_merges", _options.IgnoreMerges);
        _vocabulary.Write(writer);
        writer.WriteStartArray("merges");
        foreach ((int left, int right) in _merges)
        {
            writer.WriteStartArray();
            writer.WriteStringValue(IdToToken(left));
            writer.WriteStringValue(IdToToken(right));
            writer.WriteEndArray();
        }
        writer.WriteEndArray();
    }

    private static void WriteNullable(Utf8JsonWriter writer, string name, double? value)
    {
        if (value is { } number)
        {
            writer.WriteNumber(name, number);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    private void Remember(ReadOnlySpan<char> piece, Scratch scratch)
    {
        MergeWord word = scratch.Word;
        if (piece.Length > WordCache.MaxKey || _options.Dropout is > 0)
        {
            return;
        }
        int needed = word.Count * 2;
        if (scratch.Packed.Length < needed)
        {
            Array.Resize(ref scratch.Packed, needed);
        }
        for (int i = 0; i < word.Count; i++)
        {
            (scratch.Packed[2 * i], scratch.Packed[(2 * i) + 1]) = (word.Ids[i], word.Lengths[i]);
        }
        scratch.Cache.Add(piece, scratch.Packed.AsSpan(0, needed));
    }
}
