namespace Banyan.Cpu;

/// <summary>A = P L U by Gaussian elimination with row pivoting (the largest of each column).</summary>
internal sealed class LuFactors
{
    /// <summary>L below the diagonal (its diagonal is 1), U on and above it.</summary>
    public Matrix Packed { get; }

    /// <summary>Row i of L U is row Order[i] of A.</summary>
    public int[] Order { get; }

    /// <summary>+1 or -1: the determinant of P.</summary>
    public int Sign { get; } = 1;

    public LuFactors(Matrix a)
    {
        Matrix m = Packed = Matrix.From(a.Values, a.Rows, a.Columns);
        Order = [.. Enumerable.Range(0, a.Rows)];
        for (int k = 0; k < Math.Min(m.Rows, m.Columns); k++)
        {
            int pivot = LargestBelow(k);
            m.SwapRows(k, pivot);
            (Order[k], Order[pivot]) = (Order[pivot], Order[k]);
            Sign = pivot == k ? Sign : -Sign;
            for (int i = k + 1; i < m.Rows && m[k, k] != 0; i++)
            {
                double f = m[i, k] /= m[k, k];
                for (int j = k + 1; j < m.Columns; j++)
                {
                    m[i, j] -= f * m[k, j];
                }
            }
        }
    }

    private int LargestBelow(int k)
    {
        int best = k;
        for (int i = k + 1; i < Packed.Rows; i++)
        {
            best = Math.Abs(Packed[i, k]) > Math.Abs(Packed[best, k]) ? i : best;
        }
        return best;
    }

    /// <summary>X with A X = B; false when A is singular.</summary>
    public bool TrySolve(Matrix b, out Matrix x)
    {
        x = new Matrix(b.Rows, b.Columns);
        for (int i = 0; i < b.Rows; i++)
        {
            b.Values.AsSpan(Order[i] * b.Columns, b.Columns).CopyTo(x.Values.AsSpan(i * b.Columns));
        }
        Triangular.Solve(Packed, x, upper: false, unitDiagonal: true);
        for (int i = 0; i < Packed.Rows; i++)
        {
            if (Packed[i, i] == 0)
            {
                return false;
            }
        }
        Triangular.Solve(Packed, x, upper: true, unitDiagonal: false);
        return true;
    }
}
