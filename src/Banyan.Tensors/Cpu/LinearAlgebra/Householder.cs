namespace Banyan.Cpu;

/// <summary>A = Q R by Householder's reflections, with LAPACK's signs: the diagonal of R has the sign opposite to the column's first element.</summary>
internal static class Householder
{
    /// <summary>Q (m, k) with orthonormal columns and R (k, n) upper triangular, k = min(m, n).</summary>
    public static (Matrix Q, Matrix R) Qr(Matrix a)
    {
        int m = a.Rows, n = a.Columns, k = Math.Min(m, n);
        Matrix work = Matrix.From(a.Values, m, n), q = Matrix.Identity(m);
        for (int j = 0; j < k; j++)
        {
            double[] v = Reflector(work, j);
            Reflect(work, v, j);
            Reflect(q, v, j);
        }
        // q now holds Q^T.
        Matrix thin = new(m, k), r = new(k, n);
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < k; j++)
            {
                thin[i, j] = q[j, i];
            }
        }
        for (int i = 0; i < k; i++)
        {
            for (int j = i; j < n; j++)
            {
                r[i, j] = work[i, j];
            }
        }
        return (thin, r);
    }

    // v with (I - 2 v v^T) x = -sign(x0) |x| e0 for the part x of column j from row j on; zeros when nothing is to be done.
    private static double[] Reflector(Matrix w, int j)
    {
        var v = new double[w.Rows];
        double tail = 0;
        for (int i = j; i < w.Rows; i++)
        {
            v[i] = w[i, j];
            tail += i > j ? v[i] * v[i] : 0;
        }
        if (tail == 0)
        {
            v[j] = 0;
            return v;
        }
        v[j] += Math.CopySign(Math.Sqrt(tail + v[j] * v[j]), v[j]);
        double length = Math.Sqrt(tail + v[j] * v[j]);
        for (int i = j; i < v.Length; i++)
        {
            v[i] /= length;
        }
        return v;
    }

    private static void Reflect(Matrix m, double[] v, int from)
    {
        for (int j = 0; j < m.Columns; j++)
        {
            double dot = 0;
            for (int i = from; i < m.Rows; i++)
            {
                dot += v[i] * m[i, j];
            }
            for (int i = from; i < m.Rows; i++)
            {
                m[i, j] -= 2 * dot * v[i];
            }
        }
    }
}
