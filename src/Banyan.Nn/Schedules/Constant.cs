namespace Banyan.Nn;

public abstract partial class Schedule
{
    /// <summary>The same rate at every step, after a linear warm-up (transformers' constant_with_warmup).</summary>
    public static Schedule Constant(double rate, long warmup = 0) => From(t => rate * (Warm(t, warmup) ?? 1));

    /// <summary>rate x <paramref name="factor"/> for <paramref name="steps"/> steps, then rate: torch's ConstantLR.</summary>
    public static Schedule ConstantFactor(double rate, double factor, long steps) => From(t => t < steps ? rate * factor : rate);

    /// <summary>rate x gamma^(t / size), rounded down: torch's StepLR.</summary>
    public static Schedule Step(double rate, long size, double gamma = 0.1) => From(t => rate * Math.Pow(gamma, t / size));

    /// <summary>A factor <paramref name="gamma"/> at each of the milestones: torch's MultiStepLR.</summary>
    public static Schedule MultiStep(double rate, IReadOnlyCollection<long> milestones, double gamma = 0.1) =>
        From(t => rate * Math.Pow(gamma, milestones.Count(m => m <= t)));

    /// <summary>rate x gamma^t: torch's ExponentialLR.</summary>
    public static Schedule Exponential(double rate, double gamma) => From(t => rate * Math.Pow(gamma, t));
}
