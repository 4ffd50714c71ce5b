namespace Banyan.Cpu;

/// <summary>Gamma and error functions in double precision (Abramowitz and Stegun, chapters 6 and 7).</summary>
internal static class SpecialFunctions
{
    // B_2k of Stirling's series.
    private static readonly double[] s_bernoulli = [1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6];

    /// <summary>ln |Gamma(x)|: the recurrence up to 10, then Stirling's series; the reflection formula below 1/2.</summary>
    public static double LogGamma(double x)
    {
        if (double.IsNaN(x) || double.IsInfinity(x))
        {
            return Math.Abs(x);
        }
        if (x < 0.5)
        {
            return x == Math.Floor(x) ? double.PositiveInfinity : Math.Log(Math.PI / Math.Abs(Math.Sin(Math.PI * x))) - LogGamma(1 - x);
        }
        double product = 1;
        for (; x < 10; x++)
        {
            product *= x;
        }
        double sum = (x - 0.5) * Math.Log(x) - x + 0.5 * Math.Log(2 * Math.PI), power = x;
        for (int k = 1; k <= s_bernoulli.Length; k++, power *= x * x)
        {
            sum += s_bernoulli[k - 1] / (2 * k * (2 * k - 1) * power);
        }
        return sum - Math.Log(product);
    }

    /// <summary>The n-th derivative of the digamma function (n = 0: digamma itself), 6.4.6 and 6.4.11; arguments below 1/2 go up by the recurrence.</summary>
    public static double Polygamma(int n, double x)
    {
        if (x <= 0 && x == Math.Floor(x))
        {
            return n == 0 ? x == 0 ? double.CopySign(double.PositiveInfinity, -x) : double.NaN : double.PositiveInfinity;
        }
        double sign = n % 2 == 0 ? -1 : 1, factorial = Factorial(n), sum = 0;
        for (; x < 12 + n; x++)
        {
            sum += factorial / Math.Pow(x, n + 1);   // psi_n(x) = psi_n(x + 1) + (-1)^(n+1) n! / x^(n+1)
        }
        double tail = n == 0 ? -Math.Log(x) + 0.5 / x : factorial / n / Math.Pow(x, n) + factorial / 2 / Math.Pow(x, n + 1);
        for (int k = 1; k <= s_bernoulli.Length; k++)
        {
            tail += s_bernoulli[k - 1] * Factorial(2 * k + n - 1) / Factorial(2 * k) / Math.Pow(x, 2 * k + n);
        }
        return sign * (sum + tail);
    }

    /// <summary>1 - erf(x), without cancellation.</summary>
    public static double Erfc(double x) => x < 2 ? 1 - DoubleErf.Apply(x) : DoubleErf.Complement(x);

    /// <summary>The inverse of erf: Winitzki's estimate, then Newton's steps on erf (on erfc in the tail).</summary>
    public static double ErfInv(double y)
    {
        double a = Math.Abs(y);
        if (!(a < 1))
        {
            return a == 1 ? double.CopySign(double.PositiveInfinity, y) : double.NaN;
        }
        double l = Math.Log((1 - a) * (1 + a)), t = 2 / (Math.PI * 0.147) + l / 2;
        double x = Math.Sqrt(Math.Sqrt(t * t - l / 0.147) - t);
        for (int i = 0; i < 4; i++)
        {
            double miss = x < 2 ? DoubleErf.Apply(x) - a : 1 - a - Erfc(x);
            x -= miss * Math.Sqrt(Math.PI) / 2 * Math.Exp(x * x);
        }
        return double.CopySign(x, y);
    }

    private static double Factorial(int n)
    {
        double product = 1;
        for (int i = 2; i <= n; i++)
        {
            product *= i;
        }
        return product;
    }
}
