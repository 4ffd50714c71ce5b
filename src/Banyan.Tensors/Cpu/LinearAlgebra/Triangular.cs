namespace Banyan.Cpu;

/// <summary>Systems with a triangular matrix, and the factor of a positive definite one.</summary>
internal static class Triangular
{
    /// <summary>Replaces B by T^-1 B; only the triangle named of <paramref name="t"/> is read.</summary>
    public static void Solve(Matrix t, Matrix b, bool upper, bool unitDiagonal)
    {
        int n = t.Rows;
        for (int step = 0; step < n; step++)
        {
            int i = upper ? n - 1 - step : step;
            for (int k = upper ? i + 1 : 0; k < (upper ? n : i); k++)
            {
                for (int j = 0; j < b.Columns; j++)
                {
                    b[i, j] -= t[i, k] * b[k, j];
                }
            }
            for (int j = 0; j < b.Columns && !unitDiagonal; j++)
            {
                b[i, j] /= t[i, i];
            }
        }
    }

    /// <summary>L with A = L L^T, L lower; the row where A stops being positive definite, or -1.</summary>
    public static int Cholesky(Matrix a, out Matrix l)
    {
        int n = a.Rows;
        l = new Matrix(n, n);
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double sum = a[i, j];
                for (int k = 0; k < j; k++)
                {
                    sum -= l[i, k] * l[j, k];
                }
                if (i == j && !(sum > 0))
                {
                    return i;
                }
                l[i, j] = i == j ? Math.Sqrt(sum) : sum / l[j, j];
            }
        }
        return -1;
    }
}
