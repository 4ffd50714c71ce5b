namespace Banyan.Nn;

public abstract partial class Schedule
{
    /// <summary>Linear warm-up from 0, then linear to 0 at <paramref name="total"/>: transformers' linear.</summary>
    public static Schedule Linear(double peak, long warmup, long total) => From(t => peak * (Warm(t, warmup) ?? Math.Max(0, 1 - Progress(t, warmup, total))));

    /// <summary>From rate x <paramref name="start"/> linearly to rate x <paramref name="end"/> over <paramref name="steps"/> steps: torch's LinearLR.</summary>
    public static Schedule LinearFactor(double rate, double start, double end, long steps) =>
        From(t => rate * (start + (end - start) * Math.Min(t, steps) / Math.Max(1, steps)));

    /// <summary>
    /// Linear warm-up, then (1 - progress)^power from <paramref name="peak"/> to <paramref name="floor"/>: transformers' polynomial; with no
    /// warm-up and floor 0, torch's PolynomialLR.
    /// </summary>
    public static Schedule Polynomial(double peak, long warmup, long total, double floor = 0, double power = 1) => From(t =>
        peak * Warm(t, warmup) ?? floor + (peak - floor) * Math.Pow(Math.Max(0, 1 - Progress(t, warmup, total)), power));

    /// <summary>Linear warm-up, then sqrt(timescale / step): transformers' inverse_sqrt.</summary>
    /// <param name="peak">Largest rate.</param>
    /// <param name="warmup">Steps of the warm-up.</param>
    /// <param name="timescale">Steps after which the rate has fallen to 1 / sqrt(2). Default: the warm-up, or 10000 without one.</param>
    public static Schedule InverseSqrt(double peak, long warmup, long? timescale = null)
    {
        double scale = timescale ?? (warmup > 0 ? warmup : 10_000);
        return From(t => peak * (Warm(t, warmup) ?? 1 / Math.Sqrt((t + scale - warmup) / scale)));
    }

    /// <summary>factor x width^-0.5 x min(s^-0.5, s warmup^-1.5) with s = t + 1 (Vaswani et al. 2017, arXiv:1706.03762).</summary>
    public static Schedule Noam(double factor, long width, long warmup) =>
        From(t => factor / Math.Sqrt(width) * Math.Min(1 / Math.Sqrt(t + 1), (t + 1) * Math.Pow(warmup, -1.5)));
}
