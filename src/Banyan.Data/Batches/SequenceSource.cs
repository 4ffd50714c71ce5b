namespace Banyan.Data.Batches;

/// <summary>
/// Cuts a corpus into training sequences of one length. Sample i of a seed is always the same sequence, whatever was read before it: nothing
/// has to be stored to continue a run.
/// </summary>
public abstract class SequenceSource
{
    private protected SequenceSource(Corpora.TokenCorpus corpus, int length)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        (Corpus, Length) = (corpus, length);
    }

    /// <summary>T, the tokens of a sequence.</summary>
    public int Length { get; }

    /// <summary>How many samples go through the corpus once.</summary>
    public abstract long SequencesPerEpoch { get; }

    private protected Corpora.TokenCorpus Corpus { get; }

    /// <summary>
    /// Writes sample <paramref name="sample"/>, numbering its documents from <paramref name="documentId"/> on; returns the next free number.
    /// </summary>
    internal abstract int Fill(ulong seed, long sample, in SequenceRow row, int documentId);

    private protected static ArgumentException TooShort(Corpora.TokenCorpus corpus, string needed) =>
        new($"a corpus of {corpus.TokenCount} tokens is too short: {needed}", nameof(corpus));
}
