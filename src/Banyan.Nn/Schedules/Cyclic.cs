namespace Banyan.Nn;

/// <summary>How the height of <see cref="Schedule.Cyclic"/> develops.</summary>
public enum CyclicMode
{
    /// <summary>The same in each cycle.</summary>
    Triangular,

    /// <summary>Half as high in each further cycle.</summary>
    Triangular2,

    /// <summary>Scaled by gamma^t.</summary>
    ExpRange,
}

public abstract partial class Schedule
{
    /// <summary>
    /// From <paramref name="start"/> up to <paramref name="peak"/>, and down to <paramref name="end"/> at step total - 1 (Smith and Topin 2018,
    /// arXiv:1708.07120): torch's OneCycleLR with start = peak / 25 and end = start / 10000. The momentum moves against it:
    /// <c>OneCycle(0.95, 0.85, 0.95, ...)</c>.
    /// </summary>
    /// <param name="start">First rate.</param>
    /// <param name="peak">Largest rate.</param>
    /// <param name="end">Last rate.</param>
    /// <param name="total">Steps in all.</param>
    /// <param name="rise">Share of the steps before the peak. Default: 0.3.</param>
    /// <param name="shape">Cosine (default) or linear.</param>
    /// <param name="threePhase">True falls to <paramref name="start"/> as fast as it rose, then to <paramref name="end"/>. Default: false.</param>
    public static Schedule OneCycle(double start, double peak, double end, long total, double rise = 0.3, ScheduleShape shape = ScheduleShape.Cosine, bool threePhase = false)
    {
        double top = rise * total - 1, last = total - 1, middle = threePhase ? 2 * rise * total - 2 : last;
        return From(t => t <= top ? Between(start, peak, t / top)
            : t <= middle ? Between(peak, threePhase ? start : end, (t - top) / (middle - top))
            : Between(threePhase ? start : end, end, Math.Min(1, (t - middle) / (last - middle))));

        double Between(double from, double to, double progress) => to + (from - to) * Down(shape, progress, isRise: false);
    }

    /// <summary>Triangles between <paramref name="low"/> and <paramref name="high"/> (Smith 2017, arXiv:1506.01186): torch's CyclicLR.</summary>
    /// <param name="low">Rate at both ends of a cycle.</param>
    /// <param name="high">Rate in its middle.</param>
    /// <param name="up">Steps up.</param>
    /// <param name="down">Steps down. Default: as many.</param>
    /// <param name="mode">How the height develops. Default: it stays.</param>
    /// <param name="gamma">Of <see cref="CyclicMode.ExpRange"/>. Default: 1.</param>
    public static Schedule Cyclic(double low, double high, long up, long? down = null, CyclicMode mode = CyclicMode.Triangular, double gamma = 1)
    {
        long length = up + (down ?? up);
        return From(t =>
        {
            (long cycle, long at) = Math.DivRem(t, length);
            double height = at <= up ? (double)at / up : (double)(length - at) / (length - up);
            double scale = mode switch
            {
                CyclicMode.Triangular2 => Math.Pow(0.5, cycle),
                CyclicMode.ExpRange => Math.Pow(gamma, t),
                _ => 1,
            };
            return low + (high - low) * height * scale;
        });
    }
}
