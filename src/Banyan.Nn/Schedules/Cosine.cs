namespace Banyan.Nn;

public abstract partial class Schedule
{
    /// <summary>
    /// Linear warm-up, then half a cosine from <paramref name="peak"/> to <paramref name="floor"/> at <paramref name="total"/> steps (Loshchilov
    /// and Hutter 2017, arXiv:1608.03983): transformers' cosine, cosine_with_min_lr and cosine_warmup_with_min_lr.
    /// </summary>
    /// <param name="peak">Largest rate.</param>
    /// <param name="warmup">Steps of the warm-up.</param>
    /// <param name="total">Steps in all.</param>
    /// <param name="floor">Last rate. Default: 0.</param>
    /// <param name="cycles">Number of cosine waves. Default: 0.5.</param>
    /// <param name="warmupFloor">Rate of the first step; the last step of the warm-up then has the peak, and the cosine begins from there. Default: 0, and the peak comes after the warm-up.</param>
    public static Schedule Cosine(double peak, long warmup, long total, double floor = 0, double cycles = 0.5, double? warmupFloor = null) => From(t =>
    {
        if (t < warmup)
        {
            return warmupFloor is { } low ? low + (peak - low) * t / Math.Max(1, warmup - 1) : peak * t / warmup;
        }
        double progress = Progress(warmupFloor is null ? t : t + 1, warmup, total);
        return Math.Max(0, floor + (peak - floor) * HalfCosine(2 * cycles * progress));
    });

    /// <summary>Linear warm-up, then <paramref name="cycles"/> half cosines, each from the peak to 0: transformers' cosine_with_restarts.</summary>
    public static Schedule CosineWithRestarts(double peak, long warmup, long total, int cycles = 1) => From(t =>
    {
        double progress = Progress(t, warmup, total);
        return peak * (Warm(t, warmup) ?? (progress >= 1 ? 0 : HalfCosine(cycles * progress % 1)));
    });

    /// <summary>A cosine from rate to <paramref name="floor"/> in <paramref name="half"/> steps and back, for ever: torch's CosineAnnealingLR.</summary>
    public static Schedule CosineAnnealing(double rate, long half, double floor = 0) => From(t => floor + (rate - floor) * HalfCosine((double)t / half));

    /// <summary>
    /// Half cosines that start again, each <paramref name="factor"/> times as long as the one before: torch's CosineAnnealingWarmRestarts.
    /// </summary>
    public static Schedule CosineWarmRestarts(double rate, long first, int factor = 1, double floor = 0) => From(t =>
    {
        long length = first;
        if (factor == 1)
        {
            t %= first;
        }
        while (t >= length)
        {
            t -= length;
            length *= factor;
        }
        return floor + (rate - floor) * HalfCosine((double)t / length);
    });
}
