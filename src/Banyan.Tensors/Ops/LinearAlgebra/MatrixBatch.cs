using Banyan.Cpu;

namespace Banyan.Ops;

/// <summary>
/// Runs a factorisation on each matrix of a batch (..., m, n). The operations of this folder compute in float64: <see cref="Linalg"/> converts
/// at the edge, so that their gradients, written in tensor operations, keep double precision as well.
/// </summary>
internal static class MatrixBatch
{
    /// <summary>One tensor of shape (batch of x, *sizes[i]) for each result; f gets a matrix of x and returns the values of each result, row-major.</summary>
    public static Tensor[] Map(Tensor x, Func<Matrix, double[][]> f, params ReadOnlySpan<Shape> sizes)
    {
        int m = checked((int)x.Shape[-2]), n = checked((int)x.Shape[-1]);
        Shape batch = x.Shape.Slice(0, x.Rank - 2);
        var results = new Tensor[sizes.Length];
        for (int i = 0; i < sizes.Length; i++)
        {
            results[i] = Tensor.Allocate(x, Join(batch, sizes[i]), DType.Float64);
        }
        if (x.Device.IsMeta)
        {
            return results;
        }
        double[] values = x.ToDoubles();
        double[][] all = [.. results.Select(r => new double[r.Count])];
        for (int b = 0; b < (int)batch.Count; b++)
        {
            double[][] parts = f(Matrix.From(values.AsSpan(b * m * n, m * n), m, n));
            for (int i = 0; i < parts.Length; i++)
            {
                parts[i].CopyTo(all[i], b * parts[i].Length);
            }
        }
        for (int i = 0; i < results.Length; i++)
        {
            results[i].CopyFrom<double>(all[i]);
        }
        return results;
    }

    public static Shape Join(in Shape a, in Shape b)
    {
        Shape joined = a;
        foreach (long size in b.Span)
        {
            joined = joined.Insert(-1, size);
        }
        return joined;
    }

    public static void CheckSquare(string op, Tensor x)
    {
        if (x.Rank < 2 || x.Shape[-1] != x.Shape[-2])
        {
            throw new ArgumentException($"{op}: square matrices (..., n, n) are expected, given {x.Shape}");
        }
    }

    public static void CheckMatrix(string op, Tensor x)
    {
        if (x.Rank < 2)
        {
            throw new ArgumentException($"{op}: matrices (..., m, n) are expected, given {x.Shape}");
        }
    }

    /// <summary>The identity (n, n) in float64.</summary>
    public static Tensor Eye(Tensor like, long n)
    {
        Tensor eye = Tensor.Allocate(like.Scope, [n, n], DType.Float64, like.Device);
        eye.Fill(0);
        eye.Diagonal().Fill(1);
        return eye;
    }

    public static Tensor T(Tensor x) => x.Transpose(-1, -2);

    /// <summary>Each column scaled: x diag(s).</summary>
    public static Tensor TimesDiagonal(Tensor x, Tensor s) => x * s.Unsqueeze(-2);
}
