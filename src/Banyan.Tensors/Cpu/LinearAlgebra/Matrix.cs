namespace Banyan.Cpu;

/// <summary>A dense row-major matrix in double precision: the factorisations below favour clarity and accuracy over speed.</summary>
internal sealed class Matrix(int rows, int columns)
{
    public int Rows { get; } = rows;

    public int Columns { get; } = columns;

    public double[] Values { get; } = new double[checked(rows * columns)];

    public ref double this[int i, int j] => ref Values[i * Columns + j];

    public static Matrix From(ReadOnlySpan<double> values, int rows, int columns)
    {
        var m = new Matrix(rows, columns);
        values.CopyTo(m.Values);
        return m;
    }

    public static Matrix Identity(int n)
    {
        var m = new Matrix(n, n);
        for (int i = 0; i < n; i++)
        {
            m[i, i] = 1;
        }
        return m;
    }

    public Matrix Transpose()
    {
        var t = new Matrix(Columns, Rows);
        for (int i = 0; i < Rows; i++)
        {
            for (int j = 0; j < Columns; j++)
            {
                t[j, i] = this[i, j];
            }
        }
        return t;
    }

    public void SwapRows(int a, int b)
    {
        for (int j = 0; j < Columns && a != b; j++)
        {
            (this[a, j], this[b, j]) = (this[b, j], this[a, j]);
        }
    }
}
