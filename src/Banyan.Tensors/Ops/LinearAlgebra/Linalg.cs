using Banyan.Cpu;
using Banyan.Ops;
using static Banyan.Ops.MatrixBatch;

namespace Banyan;

/// <summary>
/// Linear algebra on batches of matrices (..., m, n). Everything is computed in float64, gradients included, and returned in the type of
/// the input: accurate, and meant for small matrices.
/// </summary>
public static class Linalg
{
    private const double Float32Epsilon = 1.1920928955078125e-07;

    private static Tensor Wide(Tensor x) => x.To(DType.Float64);

    /// <summary>X with A X = B; B is (..., n, k).</summary>
    /// <exception cref="ArithmeticException">A matrix is singular.</exception>
    public static Tensor Solve(Tensor a, Tensor b) => Ops.Solve.Apply(Wide(a), Wide(b), Ops.Solve.Form.Full).To(b.DType);

    /// <summary>X with A X = B for triangular A, of which only the triangle named is read.</summary>
    public static Tensor SolveTriangular(Tensor a, Tensor b, bool upper) =>
        Ops.Solve.Apply(Wide(a), Wide(b), upper ? Ops.Solve.Form.Upper : Ops.Solve.Form.Lower).To(b.DType);

    /// <summary>The inverse.</summary>
    /// <exception cref="ArithmeticException">A matrix is singular.</exception>
    public static Tensor Inv(Tensor a)
    {
        CheckSquare("inv", a);
        return Ops.Solve.Apply(Wide(a), Eye(a, a.Shape[-1]), Ops.Solve.Form.Full).To(a.DType);
    }

    /// <summary>The determinant, (...). Its gradient needs invertible matrices.</summary>
    public static Tensor Det(Tensor a) => Determinant.Apply(Wide(a)).Det.To(a.DType);

    /// <summary>The determinant's sign and the logarithm of its absolute value, (...) each.</summary>
    public static (Tensor Sign, Tensor LogAbsDet) SLogDet(Tensor a)
    {
        var (_, sign, log) = Determinant.Apply(Wide(a));
        return (sign.To(a.DType), log.To(a.DType));
    }

    /// <summary>The lower L with A = L L^T of symmetric positive definite matrices.</summary>
    /// <exception cref="ArithmeticException">A matrix is not positive definite.</exception>
    public static Tensor Cholesky(Tensor a) => Ops.Cholesky.Apply(Wide(a)).To(a.DType);

    /// <summary>X with L L^T X = B.</summary>
    public static Tensor CholeskySolve(Tensor b, Tensor l)
    {
        Tensor wide = Wide(l);
        return Ops.Solve.Apply(T(wide), Ops.Solve.Apply(wide, Wide(b), Ops.Solve.Form.Lower), Ops.Solve.Form.Upper).To(b.DType);
    }

    /// <summary>Ascending eigenvalues (..., n) and eigenvectors (columns of (..., n, n), sign free) of symmetric matrices.</summary>
    public static (Tensor Values, Tensor Vectors) Eigh(Tensor a)
    {
        (Tensor values, Tensor vectors) = Ops.Eigh.Apply(Wide(a));
        return (values.To(a.DType), vectors.To(a.DType));
    }

    /// <summary>Ascending eigenvalues of symmetric matrices, (..., n).</summary>
    public static Tensor EigValsH(Tensor a) => Ops.Eigh.Apply(Wide(a)).Values.To(a.DType);

    /// <summary>Eigenvalues of any square matrices, complex (..., n, 2), in no particular order. Without gradient.</summary>
    public static Tensor EigVals(Tensor a)
    {
        CheckSquare("eigvals", a);
        return Map(a.Detach(), static m => [[.. Eigenvalues.Of(m).SelectMany(z => new[] { z.Real, z.Imaginary })]], [a.Shape[-1], 2])[0].To(a.DType);
    }

    /// <summary>A = U diag(S) Vh with k = min(m, n): U (..., m, k), S descending (..., k), Vh (..., k, n).</summary>
    public static (Tensor U, Tensor S, Tensor Vh) Svd(Tensor a)
    {
        (Tensor u, Tensor s, Tensor v) = Ops.Svd.Apply(Wide(a));
        return (u.To(a.DType), s.To(a.DType), T(v).To(a.DType));
    }

    /// <summary>Singular values, descending.</summary>
    public static Tensor SvdVals(Tensor a) => Ops.Svd.Apply(Wide(a)).S.To(a.DType);

    /// <summary>A = Q R with k = min(m, n): orthonormal Q (..., m, k), upper triangular R (..., k, n).</summary>
    public static (Tensor Q, Tensor R) Qr(Tensor a)
    {
        (Tensor q, Tensor r) = Ops.Qr.Apply(Wide(a));
        return (q.To(a.DType), r.To(a.DType));
    }

    /// <summary>A = P L U of square matrices: permutation, lower with ones on the diagonal, upper.</summary>
    public static (Tensor P, Tensor L, Tensor U) Lu(Tensor a)
    {
        Tensor[] y = Ops.Lu.Apply(Wide(a));
        return (y[0].To(a.DType), y[1].To(a.DType), y[2].To(a.DType));
    }

    /// <summary>The pseudoinverse (..., n, m).</summary>
    /// <param name="a">(..., m, n).</param>
    /// <param name="rcond">Singular values up to this times the largest count as 0. Default: the larger size times float32's epsilon.</param>
    public static Tensor Pinv(Tensor a, double? rcond = null) => Ops.Pinv.Apply(Wide(a), rcond ?? Tolerance(a)).To(a.DType);

    /// <summary>The X of the smallest norm among those that bring A X nearest to B.</summary>
    public static Tensor Lstsq(Tensor a, Tensor b) => Ops.Pinv.Apply(Wide(a), Tolerance(a)).MatMul(Wide(b)).To(b.DType);

    /// <summary>The number of singular values above rcond times the largest, int64 (...).</summary>
    public static Tensor MatrixRank(Tensor a, double? rcond = null)
    {
        Tensor s = Ops.Svd.Apply(Wide(a.Detach())).S;
        return (s > s.Slice(-1, 0, 1) * (rcond ?? Tolerance(a))).To(DType.Int64).Sum(-1);
    }

    /// <summary>The largest singular value, (...).</summary>
    public static Tensor SpectralNorm(Tensor a) => Ops.Svd.Apply(Wide(a)).S.Select(-1, 0).To(a.DType);

    /// <summary>The sum of the singular values, (...).</summary>
    public static Tensor NuclearNorm(Tensor a) => Ops.Svd.Apply(Wide(a)).S.Sum(-1).To(a.DType);

    /// <summary>The largest singular value over the smallest.</summary>
    public static Tensor Cond(Tensor a)
    {
        Tensor s = Ops.Svd.Apply(Wide(a)).S;
        return (s.Select(-1, 0) / s.Select(-1, -1)).To(a.DType);
    }

    /// <summary>A^n for any integer n; a negative one is the power of the inverse.</summary>
    public static Tensor MatrixPower(Tensor a, int n)
    {
        CheckSquare("matrix_power", a);
        Tensor power = Eye(a, a.Shape[-1]), square = Wide(n < 0 ? Inv(Wide(a)) : a);
        for (long left = Math.Abs((long)n); left > 0; left >>= 1)
        {
            power = (left & 1) == 1 ? power.MatMul(square) : power;
            square = left > 1 ? square.MatMul(square) : square;
        }
        return power.Expand(a.Shape).To(a.DType);
    }

    /// <summary>e^A = I + A + A^2/2 + ...: the series for A / 2^k, squared k times.</summary>
    public static Tensor MatrixExp(Tensor a)
    {
        CheckSquare("matrix_exp", a);
        const int Terms = 18;   // 0.5^19 / 19! is below 1e-22
        int halvings = a.Device.IsMeta ? 0 : Halvings(a);
        Tensor x = Wide(a) * Math.Pow(2, -halvings), eye = Eye(a, a.Shape[-1]), sum = eye;
        for (int k = Terms; k >= 1; k--)
        {
            sum = eye + x.MatMul(sum) / k;
        }
        for (int i = 0; i < halvings; i++)
        {
            sum = sum.MatMul(sum);
        }
        return sum.Expand(a.Shape).To(a.DType);
    }

    // How often to halve A until the sum of any row's absolute values is at most 1/2.
    private static int Halvings(Tensor a)
    {
        double norm = a.Count == 0 ? 0 : Wide(a.Detach()).Abs().Sum(-1).ToDoubles().Max();
        return double.IsFinite(norm) && norm > 0.5 ? (int)Math.Ceiling(Math.Log2(norm)) + 1 : 0;
    }

    private static double Tolerance(Tensor a) =>
        Math.Max(a.Shape[-1], a.Shape[-2]) * (a.DType == DType.Float64 ? double.BitIncrement(1) - 1 : Float32Epsilon);
}
