using Microsoft.Extensions.Logging;

namespace Banyan.Training.Logging;

/// <summary>What a run says to its <see cref="ILogger"/>. The numbers of every step are metrics, see <see cref="TrainingMetrics"/>.</summary>
internal static partial class TrainingLog
{
    [LoggerMessage(1, LogLevel.Information, "Training {Model} with {Parameters} parameters on {Tokens} tokens ({HeldOut} held out) for {Steps} steps in {Run}")]
    public static partial void Started(this ILogger logger, string model, long parameters, long tokens, long heldOut, long steps, string run);

    [LoggerMessage(2, LogLevel.Information, "Resumed at step {Step} from {Checkpoint}")]
    public static partial void Resumed(this ILogger logger, long step, string checkpoint);

    [LoggerMessage(3, LogLevel.Warning, "Damaged checkpoint passed over: {Problem}")]
    public static partial void DamagedCheckpoint(this ILogger logger, string problem);

    [LoggerMessage(4, LogLevel.Information, "Step {Step}: held-out loss {Loss} (best: {IsBest})")]
    public static partial void Evaluated(this ILogger logger, long step, double loss, bool isBest);

    [LoggerMessage(5, LogLevel.Information, "Step {Step}: checkpoint written to {Run}")]
    public static partial void CheckpointWritten(this ILogger logger, long step, string run);

    [LoggerMessage(6, LogLevel.Warning, "Step {Step}: {Trouble}; the guard's action is {Action}")]
    public static partial void GuardTripped(this ILogger logger, long step, string trouble, string action);

    [LoggerMessage(7, LogLevel.Warning, "Rolled back to step {Step}; the data goes on behind the bad batch")]
    public static partial void RolledBack(this ILogger logger, long step);

    [LoggerMessage(8, LogLevel.Error, "Stopped by the guard: {Problem}")]
    public static partial void StoppedByGuard(this ILogger logger, string problem);

    [LoggerMessage(9, LogLevel.Information, "Ended at step {Step} of {Steps} after {Seconds} s: training loss {Loss}, {TokensPerSecond} tokens/s; complete: {IsComplete}; model in {Model}")]
    public static partial void Ended(this ILogger logger, long step, long steps, double seconds, double loss, double tokensPerSecond, bool isComplete, string model);
}
