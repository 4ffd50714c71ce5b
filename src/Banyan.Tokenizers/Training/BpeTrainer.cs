using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Training;

/// <summary>
/// Learns byte-pair merges: special tokens first, then the alphabet sorted by code point, then merges; always the most
/// frequent pair, among equals the one with the smaller left id, then right id.
/// </summary>
public sealed record BpeTrainer : Trainer
{
    /// <summary>The most characters of the alphabet; the most frequent stay. Null keeps all.</summary>
    public int? LimitAlphabet { get; init; }

    /// <summary>Characters that are in the alphabet whether they occur or not (first character of each string).</summary>
    public IReadOnlyList<string> InitialAlphabet { get; init; } = [];

    /// <summary>Written before each character that does not begin a word, e.g. <c>##</c>.</summary>
    public string? ContinuingSubwordPrefix { get; init; }

    /// <summary>Written after the last character of a word, e.g. <c>&lt;/w&gt;</c>.</summary>
    public string? EndOfWordSuffix { get; init; }

    /// <summary>A pair that a merge creates counts only when both together have fewer characters; null sets no limit.</summary>
    public int? MaxTokenLength { get; init; }

    /// <summary>The 256 characters that stand for bytes in byte-level BPE, for <see cref="InitialAlphabet"/>.</summary>
    public static IReadOnlyList<string> ByteAlphabet { get; } = [.. Models.ByteAlphabet.Chars.ToArray().Select(c => c.ToString())];

    internal override TokenModel Train(WordCounts words, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        (TokenTable tokens, List<(int Left, int Right)> merges) = Learn(words, progress, cancellationToken);
        Vocabulary vocabulary = new(tokens.ToDictionary());
        MergeTable table = new(merges.Count);
        for (int i = 0; i < merges.Count; i++)
        {
            table.Set(merges[i].Left, merges[i].Right, i, tokens.IdOf(Join(tokens, merges[i].Left, merges[i].Right)));
        }
        BpeOptions options = new() { ContinuingSubwordPrefix = ContinuingSubwordPrefix, EndOfWordSuffix = EndOfWordSuffix };
        return new Bpe(vocabulary, table, merges, options);
    }

    internal (TokenTable Tokens, List<(int Left, int Right)> Merges) Learn(
        WordCounts words, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        TokenTable tokens = new();
        foreach (string special in SpecialTokens)
        {
            tokens.Add(special);
        }
        foreach (int rune in Alphabet.Choose(words, LimitAlphabet, InitialAlphabet))
        {
            tokens.Add(char.ConvertFromUtf32(rune));
        }
        PairMerger merger = new(MaxTokenLength ?? int.MaxValue);
        AddWords(words, tokens, merger);
        merger.CountPairs();
        List<(int Left, int Right)> merges = [];
        int minimum = Math.Max(1, MinFrequency);
        while (tokens.Count < VocabularySize && merger.TryBest(minimum, out int left, out int right))
        {
            cancellationToken.ThrowIfCancellationRequested();
            merger.Merge(left, right, tokens.Add(Join(tokens, left, right)));
            merges.Add((left, right));
            if (merges.Count % 256 == 0)
            {
                progress?.Report(new("merge", tokens.Count, VocabularySize));
            }
        }
        progress?.Report(new("merge", tokens.Count, VocabularySize));
        return (tokens, merges);
    }

    private string Join(TokenTable tokens, int left, int right)
    {
        ReadOnlySpan<char> second = tokens[right];
        if (ContinuingSubwordPrefix is { } prefix && second.StartsWith(prefix))
        {
            second = second[prefix.Length..];
        }
        return string.Concat(tokens[left], second);
    }

    private void AddWords(WordCounts words, TokenTable tokens, PairMerger merger)
    {
        if (ContinuingSubwordPrefix is not null || EndOfWordSuffix is not null)
        {
            NumberDecorated(words, tokens);
        }
        List<int> symbols = [];
        foreach ((string word, long count) in words.Items)
        {
            symbols.Clear();
            foreach (string symbol in Symbols(word, tokens))
            {
                symbols.Add(tokens.Add(symbol));
            }
            merger.AddWord(symbols, count);
        }
    }

    // The reference numbers characters with prefix or suffix as words in the order of a hash table show them: those of many words probably first. Here certainly.
    private void NumberDecorated(WordCounts words, TokenTable tokens)
    {
        Dictionary<string, int> shown = [];
        foreach ((string word, _) in words.Items)
        {
            foreach (string symbol in Symbols(word, tokens))
            {
                shown[symbol] = shown.GetValueOrDefault(symbol) + 1;
            }
        }
        foreach ((string symbol, _) in shown.OrderByDescending(s => s.Value).ThenBy(s => s.Key, Runes.Order))
        {
            tokens.Add(symbol);
        }
    }

    // The characters of a word that are in the alphabet, with prefix and suffix where they belong.
    private IEnumerable<string> Symbols(string word, TokenTable tokens)
    {
        for (int i = 0, width; i < word.Length; i += width)
        {
            width = Runes.Width(word, i);
            string character = word.Substring(i, width);
            if (tokens.IdOf(character) >= 0)
            {
                yield return string.Concat(i == 0 ? null : ContinuingSubwordPrefix, character, i + width == word.Length ? EndOfWordSuffix : null);
            }
        }
    }
}
