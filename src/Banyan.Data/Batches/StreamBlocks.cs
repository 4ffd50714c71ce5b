using Banyan.Data.Corpora;

namespace Banyan.Data.Batches;

/// <summary>
/// The corpus cut into neighbouring blocks, each once per epoch. Documents are cut where a block ends, and inside a block they are apart: own
/// numbers, positions from 0, and no target beyond a document's last token.
/// </summary>
/// <remarks>
/// Shuffled, every epoch begins the cuts at another place (up to one block at either end is left out) and visits the blocks in another order.
/// In order, every token is covered exactly once and the last block is padded: that is for evaluation.
/// </remarks>
public sealed class StreamBlocks : SequenceSource
{
    private readonly bool _shuffle;

    /// <summary>Blocks of <paramref name="length"/> inputs.</summary>
    /// <param name="corpus">The tokens.</param>
    /// <param name="length">T.</param>
    /// <param name="shuffle">False: from the first token to the last, the same in every epoch.</param>
    /// <exception cref="ArgumentException">The corpus is shorter than two blocks (shuffled) or empty.</exception>
    public StreamBlocks(TokenCorpus corpus, int length, bool shuffle = true)
        : base(corpus, length)
    {
        _shuffle = shuffle;
        if (corpus.TokenCount < (shuffle ? 2L * length : 1))
        {
            throw TooShort(corpus, $"shuffled blocks of {length} need {2L * length}, blocks in order 1");
        }
        SequencesPerEpoch = shuffle ? (corpus.TokenCount - length) / length : (corpus.TokenCount + length - 1) / length;
    }

    /// <inheritdoc/>
    public override long SequencesPerEpoch { get; }

    internal override int Fill(ulong seed, long sample, in SequenceRow row, int documentId)
    {
        (long epoch, long block) = Math.DivRem(sample, SequencesPerEpoch);
        long shift = 0;
        if (_shuffle)
        {
            shift = new CounterRandom(seed, DataStreams.BlockShift, (ulong)epoch).NextInt(Length);
            block = new Permutation(SequencesPerEpoch, seed, DataStreams.BlockOrder, (ulong)epoch)[block];
        }
        return FillFrom((block * Length) + shift, row, documentId);
    }

    private int FillFrom(long start, in SequenceRow row, int documentId)
    {
        int at = 0;
        for (long document = Corpus.DocumentAt(start); at < row.Length && start < Corpus.TokenCount; document++, documentId++)
        {
            long end = Corpus.DocumentStart(document + 1);
            int count = (int)Math.Min(row.Length - at, end - start);
            if (count > 0)
            {
                FillDocument(start, start + count == end, row.Slice(at, count), documentId);
            }
            (start, at) = (start + count, at + count);
        }
        if (at < row.Length)
        {
            row.Slice(at, row.Length - at).Pad(documentId++);
        }
        return documentId;
    }

    // The last token of a document has no target, so nothing is read behind it.
    private void FillDocument(long start, bool isWhole, in SequenceRow row, int documentId)
    {
        int targets = isWhole ? row.Length - 1 : row.Length;
        if (targets > 0)
        {
            row.Slice(0, targets).Fill(Corpus, start, documentId);
        }
        if (isWhole)
        {
            row.Slice(targets, 1).Pad(documentId);
            Corpus.Read(start + targets, row.InputIds[^1..]);
            row.Positions[^1] = targets;
        }
    }
}
