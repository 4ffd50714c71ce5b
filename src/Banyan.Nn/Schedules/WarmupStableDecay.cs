namespace Banyan.Nn;

/// <summary>The shape of a rise or fall.</summary>
public enum ScheduleShape
{
    /// <summary>A straight line.</summary>
    Linear,

    /// <summary>Half a cosine.</summary>
    Cosine,

    /// <summary>1 - sqrt(progress) (Haegele et al. 2024, arXiv:2405.18392); rising, 1 - sqrt(1 - progress).</summary>
    OneMinusSqrt,
}

public abstract partial class Schedule
{
    /// <summary>
    /// Warm-up from <paramref name="floor"/>, then <paramref name="peak"/>, then down to <paramref name="floor"/> over the last
    /// <paramref name="decay"/> of <paramref name="total"/> steps (Hu et al. 2024, arXiv:2404.06395): transformers' warmup_stable_decay.
    /// </summary>
    /// <param name="peak">Largest rate.</param>
    /// <param name="warmup">Steps of the warm-up.</param>
    /// <param name="decay">Steps of the decay.</param>
    /// <param name="total">Steps in all.</param>
    /// <param name="floor">First and last rate. Default: 0.</param>
    /// <param name="rise">Shape of the warm-up. Default: linear.</param>
    /// <param name="fall">Shape of the decay. Default: linear.</param>
    public static Schedule WarmupStableDecay(double peak, long warmup, long decay, long total, double floor = 0, ScheduleShape rise = ScheduleShape.Linear, ScheduleShape fall = ScheduleShape.Linear) => From(t =>
    {
        double height = t < warmup ? 1 - Down(rise, (double)t / warmup, isRise: true)
            : t < total - decay ? 1
            : t < total ? Down(fall, (double)(t - (total - decay)) / decay, isRise: false)
            : 0;
        return floor + (peak - floor) * height;
    });

    // From 1 to 0 while progress goes from 0 to 1. A rise is 1 minus this; 1 - sqrt(1 - p) then is the mirrored shape.
    private static double Down(ScheduleShape shape, double progress, bool isRise) => shape switch
    {
        ScheduleShape.Linear => 1 - progress,
        ScheduleShape.Cosine => HalfCosine(progress),
        _ => isRise ? Math.Sqrt(1 - progress) : 1 - Math.Sqrt(progress),
    };
}
