using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Text;

namespace Banyan.Tokenizers.Training;

/// <summary>Takes the most frequent words as they are; among equals, the first by code points.</summary>
public sealed record WordLevelTrainer : Trainer
{
    /// <summary>The token of words that are not in the vocabulary. Default: <c>[UNK]</c>.</summary>
    public string UnkToken { get; init; } = "[UNK]";

    internal override TokenModel Train(WordCounts words, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        TokenTable tokens = new();
        foreach (string special in SpecialTokens)
        {
            tokens.Add(special);
        }
        foreach ((string word, _) in words.Items.Where(w => w.Value >= MinFrequency).OrderByDescending(w => w.Value).ThenBy(w => w.Key, Runes.Order))
        {
            if (tokens.Count >= VocabularySize)
            {
                break;
            }
            tokens.Add(word);
        }
        progress?.Report(new("count words", tokens.Count, tokens.Count));
        return new WordLevel(new(tokens.ToDictionary()), UnkToken);
    }
}
