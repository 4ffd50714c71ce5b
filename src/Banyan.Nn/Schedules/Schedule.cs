namespace Banyan.Nn;

/// <summary>The learning rate as a function of the step (0 is the first).</summary>
public abstract class Schedule
{
    /// <summary>The learning rate of optimizer step <paramref name="step"/>, counted from 0.</summary>
    public abstract double At(long step);

    /// <summary>The same rate at every step.</summary>
    public static Schedule Constant(double rate) => new Function(_ => rate);

    /// <summary>
    /// Linear warm-up over <paramref name="warmup"/> steps (lr / warmup at the first), then half a cosine from <paramref name="peak"/> to
    /// <paramref name="floor"/> at <paramref name="total"/> steps (Loshchilov and Hutter 2017).
    /// </summary>
    public static Schedule Cosine(double peak, long warmup, long total, double floor) => new Function(step =>
    {
        if (step < warmup)
        {
            return peak * (step + 1) / warmup;
        }
        double progress = Math.Min(1, (double)(step - warmup) / Math.Max(1, total - warmup));
        return floor + 0.5 * (peak - floor) * (1 + Math.Cos(Math.PI * progress));
    });

    /// <summary>
    /// Warm-up, stable, decay (Hu et al. 2024): linear warm-up, then <paramref name="peak"/>, then linear to <paramref name="floor"/> over the
    /// last <paramref name="decay"/> of <paramref name="total"/> steps.
    /// </summary>
    public static Schedule WarmupStableDecay(double peak, long warmup, long decay, long total, double floor) => new Function(step =>
        step < warmup ? peak * (step + 1) / warmup
        : step < total - decay ? peak
        : floor + (peak - floor) * Math.Max(0, (double)(total - step) / Math.Max(1, decay)));

    private sealed class Function(Func<long, double> at) : Schedule
    {
        public override double At(long step) => at(step);
    }
}
