using Banyan.Tokenizers.AddedTokens;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Normalizers;
using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.PreTokenizers;

namespace Banyan.Tokenizers.Pipeline;

/// <summary>
/// The fast path of byte-level BPE: text to ids, no offsets. Pieces are cut by a hand-written matcher and found in a
/// cache of words; nothing is allocated per token. Gives the ids of <see cref="TextEncoder"/>.
/// </summary>
internal sealed class IdEncoder
{
    private readonly Bpe _model;
    private readonly PieceMatcher _matcher;
    private readonly Normalizer? _normalizer;
    private readonly AddedVocabulary _added;
    private Scratch? _spare;

    /// <summary>One thread's working memory.</summary>
    private sealed class Scratch
    {
        public readonly WordCache Cache = new();
        public readonly MergeWord Word = new();
        public readonly List<AddedTokenMatcher.Part> Outer = [];
        public readonly List<AddedTokenMatcher.Part> Inner = [];
        public byte[] Bytes = new byte[256];
        public char[] Symbols = new char[256];
    }

    private IdEncoder(Bpe model, PieceMatcher matcher, Normalizer? normalizer, AddedVocabulary added) =>
        (_model, _matcher, _normalizer, _added) = (model, matcher, normalizer, added);

    /// <summary>The encoder of these parts, or null where they are not what it can do.</summary>
    public static IdEncoder? TryCreate(TokenizerParts parts)
    {
        PieceMatcher? matcher = ByteLevelMatcher(parts.PreTokenizer);
        return matcher is not null && parts.Model is Bpe { Options.Dropout: null or 0 } bpe
            ? new(bpe, matcher, parts.Normalizer, parts.Added)
            : null;
    }

    public void Encode(ReadOnlySpan<char> text, List<int> output)
    {
        Scratch scratch = Interlocked.Exchange(ref _spare, null) ?? new();
        scratch.Outer.Clear();
        Split(_added.Raw, text, scratch.Outer);
        foreach (AddedTokenMatcher.Part part in scratch.Outer)
        {
            if (part.Id >= 0)
            {
                output.Add(part.Id);
            }
            else
            {
                EncodeSection(text[part.Start..part.End], scratch, output);
            }
        }
        _spare = scratch;
    }

    public static PieceMatcher? ByteLevelMatcher(PreTokenizer? preTokenizer) => preTokenizer switch
    {
        ByteLevelPreTokenizer { UseRegex: true, AddPrefixSpace: false } => new Gpt2Matcher(),
        PreTokenizerSequence { Parts: [SplitPreTokenizer { IsolatedMatcher: { } matcher }, ByteLevelPreTokenizer { UseRegex: false, AddPrefixSpace: false }] } =>
            matcher,
        _ => null,
    };

    private void EncodeSection(ReadOnlySpan<char> section, Scratch scratch, List<int> output)
    {
        if (_normalizer is not null && !_normalizer.IsUnchanged(section))
        {
            section = _normalizer.Normalize(section.ToString());
        }
        if (_added.Normalized is null)
        {
            EncodePieces(section, scratch, output);
            return;
        }
        scratch.Inner.Clear();
        Split(_added.Normalized, section, scratch.Inner);
        foreach (AddedTokenMatcher.Part part in scratch.Inner)
        {
            if (part.Id >= 0)
            {
                output.Add(part.Id);
            }
            else
            {
                EncodePieces(section[part.Start..part.End], scratch, output);
            }
        }
    }

    private void EncodePieces(ReadOnlySpan<char> section, Scratch scratch, List<int> output)
    {
        for (int i = 0; i < section.Length;)
        {
            int end = _matcher.Match(section, i);
            ReadOnlySpan<char> piece = section[i..end];
            if (scratch.Cache.TryGet(piece, out ReadOnlySpan<int> ids))
            {
                Append(ids, output);
            }
            else
            {
                Merge(piece, scratch);
                scratch.Cache.Add(piece, scratch.Word.Ids);
                Append(scratch.Word.Ids, output);
            }
            i = end;
        }
    }

    private void Merge(ReadOnlySpan<char> piece, Scratch scratch)
    {
        int capacity = checked(piece.Length * 3);
        if (scratch.Bytes.Length < capacity)
        {
            (scratch.Bytes, scratch.Symbols) = (new byte[capacity], new char[capacity]);
        }
        int count = System.Text.Encoding.UTF8.GetBytes(piece, scratch.Bytes);
        ReadOnlySpan<char> alphabet = ByteAlphabet.Chars;
        for (int i = 0; i < count; i++)
        {
            scratch.Symbols[i] = alphabet[scratch.Bytes[i]];
        }
        _model.Merge(scratch.Symbols.AsSpan(0, count), scratch.Word);
    }

    private static void Append(ReadOnlySpan<int> ids, List<int> output)
    {
        if (ids.Length == 1)
        {
            output.Add(ids[0]);
            return;
        }
        output.AddRange(ids);
    }

    private void Split(AddedTokenMatcher? matcher, ReadOnlySpan<char> text, List<AddedTokenMatcher.Part> parts)
    {
        if (matcher is not null)
        {
            matcher.Split(text, _added.EncodeSpecialTokens, parts);
        }
        else if (!text.IsEmpty)
        {
            parts.Add(new(0, text.Length, -1));
        }
    }
}
