using Banyan.Tokenizers.Models;

namespace Banyan.Tokenizers.Training;

/// <summary>Learns the pieces of BERT's model. As in Hugging Face's trainer they are those that byte-pair merges make, the most frequent pair first, with <c>##</c> before what does not begin a word.</summary>
public sealed record WordPieceTrainer : Trainer
{
    private const int MaxChars = 100;

    /// <summary>The most characters of the alphabet; the most frequent stay. Null keeps all.</summary>
    public int? LimitAlphabet { get; init; }

    /// <summary>Characters that are in the alphabet whether they occur or not (first character of each string).</summary>
    public IReadOnlyList<string> InitialAlphabet { get; init; } = [];

    /// <summary>Written before each piece that does not begin a word. Default: <c>##</c>.</summary>
    public string ContinuingSubwordPrefix { get; init; } = "##";

    /// <summary>The token of words that cannot be cut into pieces. Default: <c>[UNK]</c>.</summary>
    public string UnkToken { get; init; } = "[UNK]";

    internal override TokenModel Train(WordCounts words, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        BpeTrainer merges = new()
        {
            VocabularySize = VocabularySize, MinFrequency = MinFrequency, SpecialTokens = SpecialTokens, LimitAlphabet = LimitAlphabet, InitialAlphabet = InitialAlphabet, ContinuingSubwordPrefix = ContinuingSubwordPrefix,
        };
        return new WordPiece(new(merges.Learn(words, progress, cancellationToken).Tokens.ToDictionary()), UnkToken, ContinuingSubwordPrefix, MaxChars);
    }
}
