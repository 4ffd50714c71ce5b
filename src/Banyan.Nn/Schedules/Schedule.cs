namespace Banyan.Nn;

/// <summary>
/// A learning rate (or momentum) as a function of the step: 0 is the first. Schedules hold no state, so that resuming needs only the step.
/// The factories are named after transformers' and torch.optim's; <see cref="WarmUp"/>, <see cref="Then"/> and <see cref="Times"/> combine them.
/// </summary>
/// <example><code>
/// Schedule schedule = Schedule.Cosine(peak: 3e-4, warmup: 0, total: 900, floor: 3e-5).WarmUp(100);
/// optimizer.LearningRate = schedule.At(step);
/// </code></example>
public abstract partial class Schedule
{
    /// <summary>The rate of optimizer step <paramref name="step"/>, counted from 0.</summary>
    public abstract double At(long step);

    /// <summary>A schedule from a function of the step.</summary>
    public static Schedule From(Func<long, double> at) => new Function(at);

    /// <summary>
    /// A linear rise before this schedule: step t of the first <paramref name="steps"/> has the rate (t + 1) / steps of its first one; then it
    /// begins at its step 0. (The factories' own warm-up parameters follow transformers instead: t / steps, so that the first step has rate 0.)
    /// </summary>
    public Schedule WarmUp(long steps) => From(t => t < steps ? At(0) * (t + 1) / steps : At(t - steps));

    /// <summary>This schedule for <paramref name="steps"/> steps, then another from its step 0: torch's SequentialLR.</summary>
    public Schedule Then(long steps, Schedule next) => From(t => t < steps ? At(t) : next.At(t - steps));

    /// <summary>The product of this schedule and a factor: torch's ChainedScheduler, where the second has the base rate 1.</summary>
    public Schedule Times(Schedule factor) => From(t => At(t) * factor.At(t));

    // The share of a linear warm-up, or null after it.
    private static double? Warm(long step, long warmup) => step < warmup ? (double)step / Math.Max(1, warmup) : null;

    // How much of the way from the warm-up to the end is behind.
    private static double Progress(long step, long warmup, long total) => (double)(step - warmup) / Math.Max(1, total - warmup);

    private static double HalfCosine(double progress) => 0.5 * (1 + Math.Cos(Math.PI * progress));

    private sealed class Function(Func<long, double> at) : Schedule
    {
        public override double At(long step) => at(step);
    }
}
