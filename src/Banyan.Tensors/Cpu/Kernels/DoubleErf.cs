namespace Banyan.Cpu;

/// <summary>The error function in double precision: its series near 0, a continued fraction beyond (Abramowitz and Stegun 7.1.6, 7.1.14).</summary>
internal static class DoubleErf
{
    public static double Apply(double x)
    {
        double a = Math.Abs(x);
        return a < 3 ? Series(x) : a > 6 ? Math.Sign(x) : double.IsNaN(x) ? x : Math.Sign(x) * (1 - Complement(a));
    }

    // 2 / sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!: all terms have one sign.
    private static double Series(double x)
    {
        double term = x, sum = x;
        for (int n = 1; Math.Abs(term) > 1e-17 * Math.Abs(sum); n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    /// <summary>1 - erf(x) for x of at least 2.</summary>
    public static double Complement(double x)
    {
        double f = x;
        for (int k = 60; k > 0; k--)
        {
            f = x + k / 2.0 / f;
        }
        return Math.Exp(-x * x) / (Math.Sqrt(Math.PI) * f);
    }
}
