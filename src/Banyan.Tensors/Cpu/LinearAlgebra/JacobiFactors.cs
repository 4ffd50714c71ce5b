namespace Banyan.Cpu;

/// <summary>Eigenvalues of symmetric matrices and singular values by Jacobi's rotations: slow, simple and accurate.</summary>
internal static class JacobiFactors
{
    private const int MaxSweeps = 60;

    /// <summary>A = V diag(values) V^T of a symmetric matrix (the lower triangle counts); values ascend, eigenvectors are V's columns.</summary>
    public static (double[] Values, Matrix Vectors) Symmetric(Matrix lower)
    {
        int n = lower.Rows;
        var a = new Matrix(n, n);
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                a[i, j] = i >= j ? lower[i, j] : lower[j, i];
            }
        }
        Matrix v = Matrix.Identity(n);
        for (int sweep = 0; sweep < MaxSweeps && Sweep(a, v); sweep++)
        {
        }
        double[] values = [.. Enumerable.Range(0, n).Select(i => a[i, i])];
        int[] order = [.. Enumerable.Range(0, n).OrderBy(i => values[i])];
        return ([.. order.Select(i => values[i])], TakeColumns(v, order));
    }

    private static bool Sweep(Matrix a, Matrix v)
    {
        bool turned = false;
        for (int p = 0; p < a.Rows; p++)
        {
            for (int q = p + 1; q < a.Rows; q++)
            {
                if (Math.Abs(a[p, q]) <= 1e-17 * (Math.Abs(a[p, p]) + Math.Abs(a[q, q])))
                {
                    continue;
                }
                turned = true;
                (double c, double s) = Rotation(a[p, p], a[q, q], a[p, q]);
                RotateColumns(a, p, q, c, s);
                RotateRows(a, p, q, c, s);
                RotateColumns(v, p, q, c, s);
            }
        }
        return turned;
    }

    // The rotation that makes the off-diagonal element of ((app, apq), (apq, aqq)) zero (Golub and Van Loan 8.5.2).
    private static (double C, double S) Rotation(double app, double aqq, double apq)
    {
        double tau = (aqq - app) / (2 * apq);
        double t = tau >= 0 ? 1 / (tau + Math.Sqrt(1 + tau * tau)) : 1 / (tau - Math.Sqrt(1 + tau * tau));
        double c = 1 / Math.Sqrt(1 + t * t);
        return (c, t * c);
    }

    private static void RotateColumns(Matrix m, int p, int q, double c, double s)
    {
        for (int i = 0; i < m.Rows; i++)
        {
            (m[i, p], m[i, q]) = (c * m[i, p] - s * m[i, q], s * m[i, p] + c * m[i, q]);
        }
    }

    private static void RotateRows(Matrix m, int p, int q, double c, double s)
    {
        for (int j = 0; j < m.Columns; j++)
        {
            (m[p, j], m[q, j]) = (c * m[p, j] - s * m[q, j], s * m[p, j] + c * m[q, j]);
        }
    }

    /// <summary>A = U diag(s) V^T with s descending, U (m, k), V (n, k), k = min(m, n).</summary>
    public static (Matrix U, double[] S, Matrix V) Singular(Matrix a)
    {
        if (a.Rows < a.Columns)
        {
            (Matrix v0, double[] s0, Matrix u0) = Singular(a.Transpose());
            return (u0, s0, v0);
        }
        // One-sided rotations (Hestenes 1958) make the columns of A V orthogonal; their lengths are the singular values.
        Matrix w = Matrix.From(a.Values, a.Rows, a.Columns), v = Matrix.Identity(a.Columns);
        for (int sweep = 0; sweep < MaxSweeps && SweepColumns(w, v); sweep++)
        {
        }
        double[] s = [.. Enumerable.Range(0, w.Columns).Select(j => Math.Sqrt(Dot(w, j, j)))];
        int[] order = [.. Enumerable.Range(0, w.Columns).OrderByDescending(j => s[j])];
        return (Orthonormal(TakeColumns(w, order)), [.. order.Select(j => s[j])], TakeColumns(v, order));
    }

    private static bool SweepColumns(Matrix w, Matrix v)
    {
        bool turned = false;
        for (int p = 0; p < w.Columns; p++)
        {
            for (int q = p + 1; q < w.Columns; q++)
            {
                double pp = Dot(w, p, p), qq = Dot(w, q, q), pq = Dot(w, p, q);
                if (Math.Abs(pq) <= 1e-16 * Math.Sqrt(pp * qq))
                {
                    continue;
                }
                turned = true;
                (double c, double s) = Rotation(pp, qq, pq);
                RotateColumns(w, p, q, c, s);
                RotateColumns(v, p, q, c, s);
            }
        }
        return turned;
    }

    // Columns divided by their lengths; one that vanished (rank deficiency) is replaced by a unit vector orthogonal to those before it.
    private static Matrix Orthonormal(Matrix u)
    {
        double negligible = u.Columns == 0 ? 0 : 1e-14 * Math.Sqrt(Dot(u, 0, 0));
        for (int j = 0; j < u.Columns; j++)
        {
            if (Math.Sqrt(Dot(u, j, j)) <= negligible)
            {
                Complete(u, j);
            }
            double length = Math.Sqrt(Dot(u, j, j));
            for (int i = 0; i < u.Rows; i++)
            {
                u[i, j] /= length;
            }
        }
        return u;
    }

    // Some axis keeps at least 1/rows of its squared length when the projections on fewer than rows vectors are removed.
    private static void Complete(Matrix u, int j)
    {
        for (int axis = 0; axis < u.Rows; axis++)
        {
            for (int i = 0; i < u.Rows; i++)
            {
                u[i, j] = i == axis ? 1 : 0;
            }
            RemoveProjections(u, j);
            if (Dot(u, j, j) >= 0.5 / u.Rows)
            {
                RemoveProjections(u, j);   // once more, for what rounding left
                return;
            }
        }
    }

    private static void RemoveProjections(Matrix u, int j)
    {
        for (int k = 0; k < j; k++)
        {
            double along = Dot(u, j, k);
            for (int i = 0; i < u.Rows; i++)
            {
                u[i, j] -= along * u[i, k];
            }
        }
    }

    private static double Dot(Matrix m, int p, int q)
    {
        double sum = 0;
        for (int i = 0; i < m.Rows; i++)
        {
            sum += m[i, p] * m[i, q];
        }
        return sum;
    }

    private static Matrix TakeColumns(Matrix m, int[] order)
    {
        var t = new Matrix(m.Rows, order.Length);
        for (int i = 0; i < m.Rows; i++)
        {
            for (int j = 0; j < order.Length; j++)
            {
                t[i, j] = m[i, order[j]];
            }
        }
        return t;
    }
}
