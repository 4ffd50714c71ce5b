namespace Banyan.Training;

/// <summary>What a run tells while it goes on.</summary>
public abstract record PretrainProgress
{
    /// <summary>Something in words: preparation, a checkpoint, a warning.</summary>
    public sealed record Message(string Text) : PretrainProgress;

    /// <summary>A step was taken.</summary>
    /// <param name="Step">Steps done.</param>
    /// <param name="Steps">Steps in all.</param>
    /// <param name="Loss">Its training loss.</param>
    /// <param name="LearningRate">Its rate.</param>
    /// <param name="GradientNorm">Before clipping.</param>
    /// <param name="TokensPerSecond">Of the steps since the last evaluation.</param>
    /// <param name="PeakShare">6 N tokens/s over the machine's FMA peak.</param>
    public sealed record StepDone(long Step, long Steps, double Loss, double LearningRate, double GradientNorm, double TokensPerSecond, double PeakShare) : PretrainProgress;

    /// <summary>The held-out loss was measured.</summary>
    public sealed record Evaluated(long Step, double Loss, bool IsBest) : PretrainProgress;

    /// <summary>A sample was written.</summary>
    public sealed record Sampled(long Step, string Prompt, string Text) : PretrainProgress;
}

/// <summary>What a run ended with.</summary>
/// <param name="Run">Its folder.</param>
/// <param name="Model">The folder of the model.</param>
/// <param name="Steps">Steps done.</param>
/// <param name="TrainLoss">Mean training loss of the last steps.</param>
/// <param name="ValidationLoss">Held-out loss of the final weights.</param>
/// <param name="TokensPerSecond">Over the training steps of this process.</param>
/// <param name="PeakRssMib">The most memory the process held, in MiB.</param>
/// <param name="Seconds">Wall clock of this process.</param>
/// <param name="Completed">False after a cancellation: the folder can be resumed.</param>
public sealed record PretrainResult(string Run, string Model, long Steps, double TrainLoss, double ValidationLoss, double TokensPerSecond, double PeakRssMib, double Seconds, bool Completed)
{
    /// <summary>The curve of the logs: step and training loss.</summary>
    public IReadOnlyList<(long Step, double Loss)> TrainCurve { get; init; } = [];

    /// <summary>Step and held-out loss.</summary>
    public IReadOnlyList<(long Step, double Loss)> ValidationCurve { get; init; } = [];

    /// <summary>6 N tokens/s over the machine's FMA peak.</summary>
    public double PeakShare { get; init; }

    /// <summary>The machine's FMA peak in GFLOP/s, measured at the start.</summary>
    public double PeakGflops { get; init; }
}

/// <summary>A run that its guard ended.</summary>
public sealed class TrainingStoppedException(string message) : Exception(message);
