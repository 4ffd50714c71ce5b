namespace Banyan.Data.Batches;

/// <summary>Sequences to train on, row by row: element (b, t) of each array lies at b * Length + t.</summary>
public sealed class TrainingBatch
{
    /// <summary>The target of a position that does not count, as in PyTorch's cross-entropy.</summary>
    public const int IgnoreIndex = -100;

    internal TrainingBatch(int sequences, int length)
    {
        (Sequences, Length) = (sequences, length);
        int size = checked(sequences * length);
        (InputIds, Targets, Positions, DocumentIds) = (new int[size], new int[size], new int[size], new int[size]);
    }

    /// <summary>B, the number of rows.</summary>
    public int Sequences { get; }

    /// <summary>T, the tokens of a row.</summary>
    public int Length { get; }

    /// <summary>The optimizer step it belongs to.</summary>
    public long Step { get; internal set; }

    /// <summary>Which part of the step: 0 to <see cref="TokenBatches.MicroBatches"/> - 1.</summary>
    public int MicroBatch { get; internal set; }

    /// <summary>What the model sees. (B, T)</summary>
    public int[] InputIds { get; }

    /// <summary>What it shall predict: the next token, or <see cref="IgnoreIndex"/>. (B, T)</summary>
    public int[] Targets { get; }

    /// <summary>Position inside its document (or the stretch of it that is here), from 0. (B, T)</summary>
    public int[] Positions { get; }

    /// <summary>
    /// Equal for tokens of one document, and rising over the whole batch: a token attends to earlier tokens of its own number only. Padding
    /// has numbers of its own. (B, T)
    /// </summary>
    public int[] DocumentIds { get; }

    /// <summary>How many targets count.</summary>
    public int TargetCount { get; internal set; }

    internal SequenceRow Row(int b) =>
        new SequenceRow(InputIds, Targets, Positions, DocumentIds).Slice(b * Length, Length);
}
