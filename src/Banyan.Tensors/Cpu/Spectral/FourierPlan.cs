using System.Numerics;

namespace Banyan.Cpu;

/// <summary>
/// The discrete Fourier transform of one length, X[k] = sum of x[j] e^(-2 pi i j k / n), in double precision. Powers of two by Cooley and
/// Tukey's halving; other lengths as a convolution of a power of two (Bluestein 1970: j k = (j^2 + k^2 - (k - j)^2) / 2).
/// </summary>
internal sealed class FourierPlan
{
    private readonly int _n;
    private readonly Complex[] _roots;            // e^(-2 pi i k / n), k < n / 2; of powers of two
    private readonly FourierPlan? _convolution;   // of a power of two >= 2 n - 1; for other lengths
    private readonly Complex[] _chirp = [];       // e^(-pi i j^2 / n)
    private readonly Complex[] _filter = [];      // the transform of the conjugate chirp, divided by its length

    public FourierPlan(int n)
    {
        _n = n;
        _roots = BitOperations.IsPow2(n) ? [.. Enumerable.Range(0, n / 2).Select(k => Root(k, n))] : [];
        if (BitOperations.IsPow2(n))
        {
            return;
        }
        int m = (int)BitOperations.RoundUpToPowerOf2(checked((uint)(2 * n - 1)));
        _convolution = new FourierPlan(m);
        // j^2 is taken modulo 2 n, so that the angle keeps its digits.
        _chirp = [.. Enumerable.Range(0, n).Select(j => Root((long)j * j % (2 * n), 2 * n))];
        _filter = new Complex[m];
        for (int j = 0; j < n; j++)
        {
            _filter[j] = Complex.Conjugate(_chirp[j]) / m;
            _filter[(m - j) % m] = _filter[j];
        }
        _convolution.Run(_filter, []);
    }

    /// <summary>How many numbers of scratch memory <see cref="Run"/> needs.</summary>
    public int ScratchLength => _convolution?._n ?? 0;

    private static Complex Root(long k, long n)
    {
        (double sin, double cos) = Math.SinCos(-2 * Math.PI * k / n);
        return new Complex(cos, sin);
    }

    /// <summary>Replaces <paramref name="x"/>, of the plan's length, by its transform.</summary>
    public void Run(Span<Complex> x, Span<Complex> scratch)
    {
        if (_convolution is null)
        {
            Halving(x);
            return;
        }
        scratch[_n..].Clear();
        for (int j = 0; j < _n; j++)
        {
            scratch[j] = x[j] * _chirp[j];
        }
        _convolution.Halving(scratch);
        // The inverse transform of the product, by conjugation; the filter holds the division.
        for (int k = 0; k < scratch.Length; k++)
        {
            scratch[k] = Complex.Conjugate(scratch[k] * _filter[k]);
        }
        _convolution.Halving(scratch);
        for (int k = 0; k < _n; k++)
        {
            x[k] = Complex.Conjugate(scratch[k]) * _chirp[k];
        }
    }

    private void Halving(Span<Complex> x)
    {
        ReverseBits(x);
        for (int half = 1; half < _n; half *= 2)
        {
            int step = _n / (2 * half);
            for (int start = 0; start < _n; start += 2 * half)
            {
                for (int k = start; k < start + half; k++)
                {
                    Complex odd = x[k + half] * _roots[(k - start) * step];
                    (x[k], x[k + half]) = (x[k] + odd, x[k] - odd);
                }
            }
        }
    }

    private void ReverseBits(Span<Complex> x)
    {
        int j = 0;
        for (int i = 1; i < _n; i++)
        {
            int bit = _n >> 1;
            for (; (j & bit) != 0; bit >>= 1)
            {
                j ^= bit;
            }
            j |= bit;
            if (i < j)
            {
                (x[i], x[j]) = (x[j], x[i]);
            }
        }
    }
}
