namespace Banyan;

/// <summary>
/// Windows that fade a piece of a signal out at both ends, (n) in float32. Periodic ones (the default, for spectra) are the first n of n + 1
/// symmetric ones.
/// </summary>
public static class Window
{
    /// <summary>(1 - cos t) / 2, t from 0 to 2 pi.</summary>
    public static Tensor Hann(long n, bool periodic = true) => Cosines(n, periodic, 0.5, 0.5, 0);

    /// <summary>0.54 - 0.46 cos t.</summary>
    public static Tensor Hamming(long n, bool periodic = true) => Cosines(n, periodic, 0.54, 0.46, 0);

    /// <summary>0.42 - 0.5 cos t + 0.08 cos 2t.</summary>
    public static Tensor Blackman(long n, bool periodic = true) => Cosines(n, periodic, 0.42, 0.5, 0.08);

    /// <summary>A triangle from 0 over 1 to 0.</summary>
    public static Tensor Bartlett(long n, bool periodic = true) => Over(n, periodic, u => 1 - Math.Abs(2 * u - 1));

    /// <summary>I0(beta sqrt(1 - (2u - 1)^2)) / I0(beta), u from 0 to 1 (Kaiser and Schafer 1980).</summary>
    public static Tensor Kaiser(long n, double beta = 12, bool periodic = true) =>
        Over(n, periodic, u => BesselI0(beta * Math.Sqrt(Math.Max(0, 1 - (2 * u - 1) * (2 * u - 1)))) / BesselI0(beta));

    private static Tensor Cosines(long n, bool periodic, double a, double b, double c) =>
        Over(n, periodic, u => a - b * Math.Cos(2 * Math.PI * u) + c * Math.Cos(4 * Math.PI * u));

    private static Tensor Over(long n, bool periodic, Func<double, double> at)
    {
        var values = new float[n];
        long last = periodic ? n : n - 1;
        for (long i = 0; i < n; i++)
        {
            values[i] = n == 1 ? 1 : (float)at((double)i / last);
        }
        return Tensor.From(values, [n]);
    }

    /// <summary>The modified Bessel function: sum of ((x/2)^k / k!)^2; every term is positive.</summary>
    private static double BesselI0(double x)
    {
        double term = 1, sum = 1;
        for (int k = 1; term > 1e-17 * sum; k++)
        {
            term *= x / (2 * k) * (x / (2 * k));
            sum += term;
        }
        return sum;
    }
}
