using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Training;

/// <summary>
/// Learns a unigram model (Kudo 2018, arXiv:1804.10959): it begins with many frequent substrings, estimates their probabilities by expectation-maximization over all segmentations, and again and
/// again drops those whose loss costs the likelihood least.
/// </summary>
public sealed record UnigramTrainer : Trainer
{
    // Before the end, a little more than is asked for: the last cut is by probability.
    private const double Reserve = 1.1;

    /// <summary>The share of pieces that stays at each cut. Default: 0.75.</summary>
    public double ShrinkingFactor { get; init; } = 0.75;

    /// <summary>Rounds of estimation before each cut. Default: 2.</summary>
    public int SubIterations { get; init; } = 2;

    /// <summary>The most characters of a piece. Default: 16.</summary>
    public int MaxPieceLength { get; init; } = 16;

    /// <summary>How many substrings it begins with. Default: 1,000,000.</summary>
    public int SeedSize { get; init; } = 1_000_000;

    /// <summary>Characters that are pieces whether they occur or not (first character of each string).</summary>
    public IReadOnlyList<string> InitialAlphabet { get; init; } = [];

    /// <summary>The token of unknown characters, which must be among the special tokens to have an id; null: none.</summary>
    public string? UnkToken { get; init; } = "<unk>";

    internal override TokenModel Train(WordCounts words, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        (string Text, long Count)[] corpus = [.. words.Items.Select(w => (w.Key, w.Value)).OrderBy(w => w.Key, StringComparer.Ordinal)];
        HashSet<string> alphabet = [.. InitialAlphabet.Where(s => s.Length > 0).Select(s => s[..Runes.Width(s, 0)])];
        Dictionary<string, long> characters = [];
        foreach ((string text, long count) in corpus)
        {
            for (int i = 0; i < text.Length; i += Runes.Width(text, i))
            {
                string c = text.Substring(i, Runes.Width(text, i));
                characters[c] = characters.GetValueOrDefault(c) + count;
            }
        }
        foreach (string c in alphabet)
        {
            characters.TryAdd(c, 1);
        }
        UnigramEstimator estimator = new(corpus, UnigramSeeds.Find(corpus, characters, MaxPieceLength, SeedSize, cancellationToken), MaxPieceLength);
        int wanted = Math.Max(VocabularySize - SpecialTokens.Count, characters.Count), target = (int)(wanted * Reserve);
        for (int first = estimator.Count; ;)
        {
            for (int i = 0; i < SubIterations; i++)
            {
                estimator.Estimate(cancellationToken);
            }
            progress?.Report(new("estimate", first - estimator.Count, Math.Max(first - target, first - estimator.Count)));
            if (estimator.Count <= target)
            {
                break;
            }
            estimator.Prune(Math.Max(target, (int)(estimator.Count * ShrinkingFactor)), cancellationToken);
        }
        return Finish(estimator, characters, wanted);
    }

    // Every character stays, though its probability be small; the others by probability.
    private Unigram Finish(UnigramEstimator estimator, Dictionary<string, long> characters, int wanted)
    {
        Dictionary<string, double> chosen = [];
        double least = estimator.Pieces.Select(p => p.Score).DefaultIfEmpty(0).Min();
        foreach ((int i, (string c, _)) in characters.OrderByDescending(p => p.Value).ThenBy(p => p.Key, StringComparer.Ordinal).Index())
        {
            chosen[c] = estimator.ScoreOf(c) ?? least - (0.0001 * (i + 1));
        }
        foreach ((string text, double score) in estimator.Pieces.OrderByDescending(p => p.Score).ThenBy(p => p.Text, StringComparer.Ordinal))
        {
            if (chosen.Count >= wanted)
            {
                break;
            }
            chosen.TryAdd(text, score);
        }
        List<(string, double)> pieces = [.. SpecialTokens.Select(t => (t, 0.0))];
        pieces.AddRange(chosen.Where(p => !SpecialTokens.Contains(p.Key)).OrderByDescending(p => p.Value).ThenBy(p => p.Key, StringComparer.Ordinal).Select(p => (p.Key, p.Value)));
        int unknown = UnkToken is null ? -1 : pieces.FindIndex(p => p.Item1 == UnkToken);
        return new Unigram([.. pieces], unknown, byteFallback: false);
    }
}
