using Banyan.Data.Corpora;

namespace Banyan.Data.Batches;

/// <summary>
/// Whole documents side by side in each sequence, so that none loses its beginning: own numbers, positions from 0, no target across a boundary,
/// padding at the end. Only a document longer than a sequence is cut. Every (input, target) pair comes once per epoch, and every epoch packs
/// other documents together.
/// </summary>
/// <remarks>
/// Best-fit decreasing, as in Ding et al. 2024, "Fewer truncations improve language modeling". A document of n tokens takes n - 1 places, since
/// its last token is only a target. The plan of the current epoch takes about 20 bytes per document, three times that while it is made.
/// </remarks>
public sealed class PackedDocuments : SequenceSource
{
    private readonly Lock _lock = new();
    private volatile PackingPlan? _plan;

    /// <summary>Sequences of <paramref name="length"/> places.</summary>
    /// <exception cref="ArgumentException">No document has two tokens.</exception>
    public PackedDocuments(TokenCorpus corpus, int length)
        : base(corpus, length)
    {
        PackingPlan plan = PackingPlan.Make(corpus, length, 0, 0);
        SequencesPerEpoch = plan.Sequences;
        _plan = plan;
        if (plan.Sequences == 0)
        {
            throw TooShort(corpus, "packing needs a document of at least two tokens");
        }
        Utilization = plan.Places / ((double)plan.Sequences * length);
    }

    /// <inheritdoc/>
    /// <remarks>It is the same in every epoch: best-fit decreasing depends on the lengths alone.</remarks>
    public override long SequencesPerEpoch { get; }

    /// <summary>The share of places that are not padding.</summary>
    public double Utilization { get; }

    internal override int Fill(ulong seed, long sample, in SequenceRow row, int documentId)
    {
        (long epoch, long sequence) = Math.DivRem(sample, SequencesPerEpoch);
        sequence = new Permutation(SequencesPerEpoch, seed, DataStreams.PackOrder, (ulong)epoch)[sequence];
        int at = 0;
        foreach (ref readonly PackedPiece piece in Plan(seed, epoch).Pieces(sequence))
        {
            row.Slice(at, piece.Length).Fill(Corpus, piece.Start, documentId++);
            at += piece.Length;
        }
        if (at < row.Length)
        {
            row.Slice(at, row.Length - at).Pad(documentId++);
        }
        return documentId;
    }

    private PackingPlan Plan(ulong seed, long epoch)
    {
        PackingPlan? plan = _plan;
        if (plan is not null && plan.IsFor(seed, epoch))
        {
            return plan;
        }
        lock (_lock)
        {
            plan = _plan;
            return plan is not null && plan.IsFor(seed, epoch) ? plan : _plan = PackingPlan.Make(Corpus, Length, seed, epoch);
        }
    }
}
