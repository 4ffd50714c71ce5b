using Banyan.Data.Batches;

namespace Banyan.Data.Objectives;

/// <summary>
/// The masked-language-model objective (Devlin et al. 2019, arXiv:1810.04805): some tokens are chosen; of these most become the mask token, some a
/// random token, and the rest stay. The model predicts what stood at the chosen places.
/// </summary>
/// <remarks>Each draw depends on (seed, sample, place) alone: a row has the same masks in any batch and after a restart.</remarks>
public sealed class MaskedTokens
{
    private const int DrawsPerToken = 8;   // positions of the counter that belong to one token; a multiple of 4, so that none shares a block

    private readonly int _maskId, _vocabulary;
    private readonly HashSet<int> _special;
    private readonly ulong _seed;

    /// <summary>The rule.</summary>
    /// <param name="vocabularySize">Random tokens are drawn from all of it.</param>
    /// <param name="maskId">The mask token.</param>
    /// <param name="specialIds">Tokens that are never chosen; the mask token is one of them in any case.</param>
    /// <param name="seed">Seed of the draws. Default: 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The mask token lies outside the vocabulary.</exception>
    public MaskedTokens(int vocabularySize, int maskId, IEnumerable<int> specialIds, long seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)maskId, (uint)vocabularySize, nameof(maskId));
        (_vocabulary, _maskId, _seed, _special) = (vocabularySize, maskId, (ulong)seed, [.. specialIds, maskId]);
    }

    /// <summary>The share of tokens that are chosen. Default: 0.15.</summary>
    public double Probability { get; init; } = 0.15;

    /// <summary>The share of chosen tokens that become the mask token. Default: 0.8.</summary>
    public double MaskedShare { get; init; } = 0.8;

    /// <summary>The share of chosen tokens that become a random token. Default: 0.1.</summary>
    public double RandomShare { get; init; } = 0.1;

    /// <summary>Masks a row in place.</summary>
    /// <param name="ids">The tokens; receives what the model sees.</param>
    /// <param name="labels">Receives the token that stood at each chosen place, <see cref="TrainingBatch.IgnoreIndex"/> elsewhere.</param>
    /// <param name="sample">Global number of the row: each has draws of its own.</param>
    /// <param name="words">The word that each token belongs to, in rising order: all tokens of a word are chosen together (whole-word masking); empty: each for itself.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public void Apply(Span<int> ids, Span<int> labels, long sample, ReadOnlySpan<int> words = default)
    {
        if (labels.Length != ids.Length || (words.Length > 0 && words.Length != ids.Length))
        {
            throw new ArgumentException($"{ids.Length} tokens, {labels.Length} labels, {words.Length} words; expected as many of each");
        }
        int first = 0;   // where the token's word begins
        for (int i = 0; i < ids.Length; i++)
        {
            first = words.Length > 0 && i > 0 && words[i] == words[i - 1] ? first : i;
            bool chosen = !_special.Contains(ids[i]) && Draw(sample, first).NextDouble() < Probability;
            labels[i] = chosen ? ids[i] : TrainingBatch.IgnoreIndex;
            ids[i] = chosen ? Replace(ids[i], sample, i) : ids[i];
        }
    }

    private int Replace(int id, long sample, int place)
    {
        CounterRandom random = Draw(sample, place);
        random.NextDouble();   // the one that chose it
        double share = random.NextDouble();
        return share < MaskedShare ? _maskId : share < MaskedShare + RandomShare ? random.NextInt(_vocabulary) : id;
    }

    private CounterRandom Draw(long sample, int place) => new(_seed, DataStreams.Masking, (ulong)sample, (long)place * DrawsPerToken);
}
