namespace Banyan.Tensors.Tests.Cpu.Kernels;

/// <summary>Elementary functions in float64 that .NET lacks, by series and continued fractions, and their compositions.</summary>
internal static class Reference
{
    /// <summary>Kahan's form: the rounding error of e^x cancels in the quotient.</summary>
    public static double Expm1(double x)
    {
        double u = Math.Exp(x);
        return u == 1 || double.IsInfinity(u) ? (u == 1 ? x : u) : u - 1 <= -1 ? -1 : (u - 1) * x / Math.Log(u);
    }

    public static double Log1p(double x)
    {
        double u = 1 + x;
        return u == 1 ? x : double.IsInfinity(u) || u <= 0 ? Math.Log(u) : Math.Log(u) * x / (u - 1);
    }

    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    public static double Softplus(double x) => Math.Max(x, 0) + Log1p(Math.Exp(-Math.Abs(x)));

    public static double Erf(double x) => Math.Abs(x) < 2 ? ErfSeries(x) : x < 0 ? Erfc(-x) - 1 : 1 - Erfc(x);

    public static double NormalCdf(double x) =>
        x < -2.5 ? Erfc(-x / Math.Sqrt(2)) / 2 : (1 + Erf(x / Math.Sqrt(2))) / 2;

    public static double NormalDensity(double x) => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);

    public static double GeluErf(double x) => x * NormalCdf(x) + (x - x);

    public static double GeluErfGrad(double x) => NormalCdf(x) + (double.IsInfinity(x) ? 0 : x * NormalDensity(x));

    public static double GeluTanh(double x) => x * Sigmoid(GeluTanhArgument(x));

    public static double GeluTanhGrad(double x)
    {
        double u = GeluTanhArgument(x), s = Sigmoid(u);
        double slope = 2 * Math.Sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
        return Math.Abs(x) > 1e3 ? s : s + x * s * Sigmoid(-u) * slope;
    }

    private static double GeluTanhArgument(double x) => 2 * Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);

    public static double Swish(double x, double beta) => x * Sigmoid(beta * x);

    public static double SwishGrad(double x, double beta)
    {
        double s = Sigmoid(beta * x);
        return Math.Abs(x) > 1e3 ? s : s + beta * x * s * Sigmoid(-beta * x);
    }

    public static double Mish(double x) => x * Math.Tanh(Softplus(x));

    public static double MishGrad(double x)
    {
        double t = Math.Tanh(Softplus(x));
        return Math.Abs(x) > 1e3 ? t : t + x * Sigmoid(x) / Math.Pow(Math.Cosh(Math.Min(Softplus(x), 700)), 2);
    }

    /// <summary>2/sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1) / (1 3 5 ... (2n+1)): every term is positive.</summary>
    private static double ErfSeries(double x)
    {
        double term = x, sum = x;
        for (int n = 1; n < 80; n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    /// <summary>Laplace's continued fraction, for x of 1.7 and more.</summary>
    private static double Erfc(double x)
    {
        if (x > 40)
        {
            return 0;
        }
        double tail = x;
        for (int n = 120; n >= 1; n--)
        {
            tail = x + (n / 2.0 / tail);
        }
        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / tail;
    }
}
