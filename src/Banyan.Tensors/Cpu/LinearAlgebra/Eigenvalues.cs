using System.Numerics;

namespace Banyan.Cpu;

/// <summary>
/// Eigenvalues of any square matrix: elimination to Hessenberg form, then QR steps with Wilkinson's shift in complex numbers, where one
/// shift serves real and conjugate eigenvalues alike (Golub and Van Loan 7.5).
/// </summary>
internal static class Eigenvalues
{
    private const int MaxSteps = 100;   // for each eigenvalue

    public static Complex[] Of(Matrix a)
    {
        int n = a.Rows;
        Complex[,] h = Hessenberg(a);
        var values = new Complex[n];
        for (int last = n - 1, steps = 0; last >= 0; steps++)
        {
            int first = StartOfBlock(h, last);
            if (first == last || steps > MaxSteps)
            {
                values[last] = h[last, last];
                (last, steps) = (last - 1, 0);
                continue;
            }
            Step(h, first, last, steps % 11 == 10 ? h[last, last] + Complex.Abs(h[last, last - 1]) : Shift(h, last));
        }
        return values;
    }

    private static Complex[,] Hessenberg(Matrix a)
    {
        int n = a.Rows;
        Matrix m = Matrix.From(a.Values, n, n);
        for (int k = 1; k < n - 1; k++)
        {
            int pivot = k;
            for (int i = k + 1; i < n; i++)
            {
                pivot = Math.Abs(m[i, k - 1]) > Math.Abs(m[pivot, k - 1]) ? i : pivot;
            }
            m.SwapRows(k, pivot);
            for (int i = 0; i < n; i++)
            {
                (m[i, k], m[i, pivot]) = (m[i, pivot], m[i, k]);
            }
            for (int i = k + 1; i < n && m[k, k - 1] != 0; i++)
            {
                double f = m[i, k - 1] / m[k, k - 1];
                for (int j = 0; j < n; j++)
                {
                    m[i, j] -= f * m[k, j];
                }
                for (int j = 0; j < n; j++)
                {
                    m[j, k] += f * m[j, i];
                }
            }
        }
        var h = new Complex[n, n];
        for (int i = 0; i < n; i++)
        {
            for (int j = Math.Max(0, i - 1); j < n; j++)
            {
                h[i, j] = m[i, j];
            }
        }
        return h;
    }

    // The first row of the block that ends at row last and has no negligible element below its diagonal.
    private static int StartOfBlock(Complex[,] h, int last)
    {
        int first = last;
        while (first > 0 && Complex.Abs(h[first, first - 1]) > 1e-16 * (Complex.Abs(h[first, first]) + Complex.Abs(h[first - 1, first - 1])))
        {
            first--;
        }
        return first;
    }

    // The eigenvalue of the last 2 x 2 block that is nearer to the corner.
    private static Complex Shift(Complex[,] h, int last)
    {
        Complex a = h[last - 1, last - 1], d = h[last, last], bc = h[last - 1, last] * h[last, last - 1];
        Complex half = (a - d) / 2, root = Complex.Sqrt(half * half + bc);
        Complex plus = half + root, minus = half - root;
        return d + (Complex.Abs(plus) < Complex.Abs(minus) ? plus : minus);
    }

    // h - shift = Q R, then h = R Q + shift, by Givens rotations within the block.
    private static void Step(Complex[,] h, int first, int last, Complex shift)
    {
        var turns = new (Complex C, Complex S)[last];
        for (int i = first; i <= last; i++)
        {
            h[i, i] -= shift;
        }
        for (int i = first; i < last; i++)
        {
            double length = Math.Sqrt(Square(h[i, i]) + Square(h[i + 1, i]));
            (Complex c, Complex s) = turns[i] = length == 0 ? (1, 0) : (Complex.Conjugate(h[i, i]) / length, Complex.Conjugate(h[i + 1, i]) / length);
            for (int j = i; j <= last; j++)
            {
                (h[i, j], h[i + 1, j]) = (c * h[i, j] + s * h[i + 1, j], Complex.Conjugate(c) * h[i + 1, j] - Complex.Conjugate(s) * h[i, j]);
            }
        }
        for (int j = first; j < last; j++)
        {
            (Complex c, Complex s) = turns[j];
            for (int i = first; i <= Math.Min(j + 1, last); i++)
            {
                (h[i, j], h[i, j + 1]) = (h[i, j] * Complex.Conjugate(c) + h[i, j + 1] * Complex.Conjugate(s), h[i, j + 1] * c - h[i, j] * s);
            }
        }
        for (int i = first; i <= last; i++)
        {
            h[i, i] += shift;
        }
    }

    private static double Square(Complex z) => z.Real * z.Real + z.Imaginary * z.Imaginary;
}
