namespace Banyan.Data.Batches;

/// <summary>
/// The batches of a run: batch (step, micro-batch) holds the same ids on every machine and after every restart, and the samples of a step do
/// not depend on how many micro-batches it is divided into.
/// </summary>
public sealed class TokenBatches
{
    private readonly SequenceSource _source;
    private readonly ulong _seed;

    /// <summary>Batches from a source.</summary>
    /// <param name="source">Where sequences come from.</param>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="sequences">B, the rows of one batch.</param>
    /// <param name="microBatches">How many batches make a step (gradient accumulation).</param>
    public TokenBatches(SequenceSource source, ulong seed, int sequences, int microBatches = 1)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequences);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microBatches);
        (_source, _seed, Sequences, MicroBatches) = (source, seed, sequences, microBatches);
    }

    /// <summary>B, the rows of one batch.</summary>
    public int Sequences { get; }

    /// <summary>How many batches make a step.</summary>
    public int MicroBatches { get; }

    /// <summary>How many steps go through the corpus once, rounded up.</summary>
    public long StepsPerEpoch
    {
        get
        {
            long perStep = (long)Sequences * MicroBatches;
            return (_source.SequencesPerEpoch + perStep - 1) / perStep;
        }
    }

    /// <summary>A new batch.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The step is negative, or there is no such micro-batch.</exception>
    public TrainingBatch Get(long step, int microBatch = 0)
    {
        TrainingBatch batch = Allocate();
        Fill(batch, step, microBatch);
        return batch;
    }

    /// <summary>All following batches, prepared ahead on a thread of their own.</summary>
    /// <param name="step">The first step: 0, or where a run continues.</param>
    /// <param name="depth">How many batches are prepared at most.</param>
    public BatchPrefetcher Prefetch(long step = 0, int depth = 4) => new(this, step, depth);

    internal TrainingBatch Allocate() => new(Sequences, _source.Length);

    internal void Fill(TrainingBatch batch, long step, int microBatch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfNegative(microBatch);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(microBatch, MicroBatches);
        long sample = checked(((step * MicroBatches) + microBatch) * Sequences);
        (batch.Step, batch.MicroBatch) = (step, microBatch);
        int documentId = 0;
        for (int b = 0; b < Sequences; b++)
        {
            documentId = _source.Fill(_seed, sample + b, batch.Row(b), documentId);
        }
        batch.TargetCount = batch.Targets.Length - batch.Targets.AsSpan().Count(TrainingBatch.IgnoreIndex);
    }
}
