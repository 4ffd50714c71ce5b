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
        if (pattern is not null && PieceMatcher.ForPattern(pattern) is null)
        {
            throw new ArgumentException($"the pattern \"{pattern}\" is not supported; known are those of GPT-2, cl100k, o200k, Llama 3 and Qwen", nameof(pattern));
        }
        TokenizerParts parts = VocabularyAndMerges.ByteLevel(new(new([]), new(0), [], new()), [pattern ?? KnownPatterns.Gpt2]);
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
