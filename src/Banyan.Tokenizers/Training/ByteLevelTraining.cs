using Banyan.Tokenizers.Decoders;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.PostProcessors;
using Banyan.Tokenizers.PreTokenizers;

namespace Banyan.Tokenizers.Training;

/// <summary>Byte-level BPE from texts: the pipeline of GPT-2, or of Llama 3 where a pattern is given.</summary>
internal sealed class ByteLevelTraining(int vocabularySize, IReadOnlyList<string> specialTokens, string? pattern, int minFrequency)
{
    public Tokenizer Train(IEnumerable<string> texts, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 256 + specialTokens.Count);
        PreTokenizer bytes = new ByteLevelPreTokenizer(addPrefixSpace: false, trimOffsets: true, useRegex: pattern is null);
        PreTokenizer preTokenizer = pattern is null
            ? bytes
            : new PreTokenizerSequence([new SplitPreTokenizer(TextPattern.Regex(pattern), SplitBehavior.Isolated, invert: false), bytes]);
        Bpe empty = new(new([]), new(0), [], new());
        TokenizerParts parts = new(empty, normalizer: null)
        {
            PreTokenizer = preTokenizer,
            PostProcessor = new ByteLevelProcessor(addPrefixSpace: false, trimOffsets: false, useRegex: true),
            Decoder = new ByteLevelDecoder(),
        };
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
