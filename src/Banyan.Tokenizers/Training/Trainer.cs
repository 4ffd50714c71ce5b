using Banyan.Tokenizers.Models;

namespace Banyan.Tokenizers.Training;

/// <summary>How far a training is.</summary>
/// <param name="Stage">What is being done: "count words", "merge", "estimate".</param>
/// <param name="Done">Steps done.</param>
/// <param name="Total">Steps in all, or 0 where that is not known.</param>
public readonly record struct TrainingProgress(string Stage, long Done, long Total);

/// <summary>Learns the vocabulary of a model from words and their counts.</summary>
public abstract record Trainer
{
    private protected Trainer()
    {
    }

    /// <summary>Number of tokens to reach, special tokens included.</summary>
    public int VocabularySize { get; init; } = 30_000;

    /// <summary>Words or pairs that occur less often are not taken.</summary>
    public int MinFrequency { get; init; }

    /// <summary>Tokens that get the first ids and are never cut.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = [];

    internal abstract TokenModel Train(WordCounts words, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken);
}
