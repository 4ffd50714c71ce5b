namespace Banyan.Checkpoints;

/// <summary>Which checkpoints stay on disk. Older ones are removed after each save.</summary>
public sealed record CheckpointRetention
{
    /// <summary>How many of the newest stay, at least 1. Two survive a damaged newest one.</summary>
    public int KeepLast { get; init; } = 2;

    /// <summary>How many of the best by metric stay in addition.</summary>
    public int KeepBest { get; init; } = 1;

    /// <summary>True (the default) where a smaller metric is better, like a loss.</summary>
    public bool LowerIsBetter { get; init; } = true;

    internal CheckpointRetention Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(KeepLast, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(KeepBest);
        return this;
    }

    // The better metric first; of equal ones the newer.
    internal IEnumerable<SavedCheckpoint> BestFirst(IEnumerable<SavedCheckpoint> checkpoints) => checkpoints
        .Where(c => c.Metric is not null)
        .OrderBy(c => LowerIsBetter ? c.Metric!.Value : -c.Metric!.Value)
        .ThenByDescending(c => c.Step);
}
