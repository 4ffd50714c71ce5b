namespace Banyan.Ops;

/// <summary>
/// How much each element of one dimension counts in each resampled element: (from, to), row-major. Output j lies at (j + 1/2) ratio - 1/2 of the
/// input, or, with corners aligned, at j (from - 1) / (to - 1).
/// </summary>
internal readonly struct InterpolationWeights(long from, long to, double ratio)
{
    private readonly double[] _weights = new double[checked(from * to)];

    /// <summary>The tent or the cubic of Keys (1981, a = -3/4) on the 2 or 4 nearest elements; those beyond the border count as the border.</summary>
    public double[] Interpolating(bool cubic, bool alignCorners)
    {
        for (long j = 0; j < to; j++)
        {
            double at = !alignCorners ? (j + 0.5) * ratio - 0.5 : to > 1 ? (double)j * (from - 1) / (to - 1) : 0;
            at = cubic ? at : Math.Max(at, 0);
            long floor = Math.Min((long)Math.Floor(at), from - 1);
            double t = Math.Clamp(at - floor, 0, 1);
            for (int k = cubic ? -1 : 0; k <= (cubic ? 2 : 1); k++)
            {
                Add(Math.Clamp(floor + k, 0, from - 1), j, cubic ? Cubic(t - k, -0.75) : Tent(t - k));
            }
        }
        return _weights;
    }

    /// <summary>
    /// Antialiased, as in Pillow: the kernel (the cubic has a = -1/2) is widened by the ratio where the result is smaller, cut at the border and
    /// divided by its sum.
    /// </summary>
    public double[] Antialiasing(bool cubic)
    {
        double stretch = Math.Max(ratio, 1), support = (cubic ? 2 : 1) * stretch;
        for (long j = 0; j < to; j++)
        {
            double center = (j + 0.5) * ratio, sum = 0;
            long begin = Math.Max((long)(center - support + 0.5), 0), end = Math.Min((long)(center + support + 0.5), from);
            for (int pass = 0; pass < 2; pass++)
            {
                for (long i = begin; i < end; i++)
                {
                    double d = (i + 0.5 - center) / stretch, w = cubic ? Cubic(d, -0.5) : Tent(d);
                    sum += pass == 0 ? w : 0;
                    Add(i, j, pass == 0 ? 0 : w / sum);
                }
            }
        }
        return _weights;
    }

    /// <summary>The mean of [floor(j from / to), ceil((j + 1) from / to)).</summary>
    public double[] Averaging()
    {
        for (long j = 0; j < to; j++)
        {
            long begin = j * from / to, end = ((j + 1) * from + to - 1) / to;
            for (long i = begin; i < end; i++)
            {
                Add(i, j, 1.0 / (end - begin));
            }
        }
        return _weights;
    }

    private void Add(long i, long j, double weight) => _weights[i * to + j] += weight;

    private static double Tent(double d) => Math.Max(0, 1 - Math.Abs(d));

    private static double Cubic(double d, double a)
    {
        d = Math.Abs(d);
        return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
    }
}
