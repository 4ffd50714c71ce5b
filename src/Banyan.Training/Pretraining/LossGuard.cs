using Banyan.Checkpoints;

namespace Banyan.Training;

/// <summary>The section <c>guard</c>.</summary>
public sealed record GuardOptions
{
    /// <summary><c>stop</c> ends the run, <c>skip</c> leaves the batch out, <c>rollback</c> also returns to the last checkpoint, <c>none</c> looks only for what is no number. Default: stop.</summary>
    public string Action { get; init; } = "stop";

    /// <summary>A loss above the running mean times this is a spike; 0 looks only for what is no number. Default: 2.</summary>
    public double Spike { get; init; } = 2;

    internal static GuardOptions Read(ConfigReader c) => new()
    {
        Action = c.GetChoice("action", ["stop", "skip", "rollback", "none"], "stop"),
        Spike = c.GetDouble("spike", 2, min: 0),
    };
}

/// <summary>Notices a loss that is no number, or that jumps above its running mean. What it has learned is part of a checkpoint.</summary>
public sealed class LossGuard(GuardOptions options)
{
    private const int WarmupSteps = 20;
    private const double Memory = 0.95;

    /// <summary>Running mean of the loss.</summary>
    public double Mean { get; private set; }

    /// <summary>Losses seen.</summary>
    public long Count { get; private set; }

    /// <summary>What to do about trouble.</summary>
    public string Action => options.Action;

    /// <summary>Goes on from a checkpoint.</summary>
    public void Restore(double mean, long count) => (Mean, Count) = (mean, count);

    /// <summary>What is wrong with a step, or null.</summary>
    public string? Trouble(in StepResult step)
    {
        if (!double.IsFinite(step.Loss) || !double.IsFinite(step.GradientNorm))
        {
            return FormattableString.Invariant($"the loss is {step.Loss}, the gradient norm {step.GradientNorm}");
        }
        return options.Spike > 0 && options.Action != "none" && Count >= WarmupSteps && step.Loss > options.Spike * Mean
            ? FormattableString.Invariant($"the loss jumped to {step.Loss:F4}; its running mean is {Mean:F4}") : null;
    }

    /// <summary>Counts a good loss.</summary>
    public void Add(double loss)
    {
        Mean = Count == 0 ? loss : (Memory * Mean) + ((1 - Memory) * loss);
        Count++;
    }
}
