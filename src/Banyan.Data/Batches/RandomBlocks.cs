using Banyan.Data.Corpora;

namespace Banyan.Data.Batches;

/// <summary>
/// Blocks at random places, as nanoGPT trains: every token but the last is a start with equal chance, document boundaries do not matter, and
/// one epoch is only a number of tokens.
/// </summary>
public sealed class RandomBlocks : SequenceSource
{
    /// <summary>Blocks of <paramref name="length"/> inputs.</summary>
    /// <exception cref="ArgumentException">The corpus has no more tokens than the length.</exception>
    public RandomBlocks(TokenCorpus corpus, int length)
        : base(corpus, length)
    {
        if (corpus.TokenCount <= length)
        {
            throw TooShort(corpus, $"blocks of {length} tokens and their last target need {length + 1L}");
        }
    }

    /// <inheritdoc/>
    public override long SequencesPerEpoch => Math.Max(1, Corpus.TokenCount / Length);

    internal override int Fill(ulong seed, long sample, in SequenceRow row, int documentId)
    {
        long start = new CounterRandom(seed, DataStreams.RandomBlocks, (ulong)sample).NextLong(Corpus.TokenCount - Length);
        row.Fill(Corpus, start, documentId);
        return documentId + 1;
    }
}
