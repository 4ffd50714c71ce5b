using Banyan.Tokenizers.Formats;
using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.Pipeline;

namespace Banyan.Tokenizers.Training;

/// <summary>Byte-level BPE from texts: the pipeline of GPT-2, or of Llama 3 where a pattern is given.</summary>
internal sealed class ByteLevelTraining(int vocabularySize, IReadOnlyList<string> specialTokens, string? pattern, int minFrequency)
{
    public Tokenizer Train(IEnumerable<string> texts, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 256 + specialTokens.Count);
        TokenizerParts parts;
        try
        {
            parts = VocabularyAndMerges.ByteLevel(new(new([]), new(0), [], new()), [pattern ?? KnownPatterns.Gpt2]);
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"the pattern \"{pattern}\" is a regular expression with {e.Message}", nameof(pattern));
        }
        BpeTrainer trainer = new()
        {
            VocabularySize = vocabularySize,
            MinFrequency = minFrequency,
            SpecialTokens = specialTokens,
            InitialAlphabet = BpeTrainer.ByteAlphabet,
        };
        return new Tokenizer(parts).TrainNew(texts, trainer, progress, cancellationToken);
    }
}
