namespace Banyan.Tensors.Tests;

/// <summary>Factorisations: their defining products, their gradients (the goldens have values only), and their errors.</summary>
public class LinearAlgebraTests
{
    private static Tensor Square(int seed = 1) => FiniteDifferences.Random([2, 3, 3], seed);

    private static Tensor Tall => FiniteDifferences.Random([5, 3], 3);

    private static Tensor Eye(long n) => Ops.MatrixBatch.Eye(Tall, n);

    private static Tensor T(Tensor x) => x.Transpose(-1, -2);

    private static void Near(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.All(expected.ToDoubles().Zip(actual.ToDoubles()), p => Assert.Equal(p.First, p.Second, 1e-11));
    }

    private static void Orthonormal(Tensor q) => Near(Eye(q.Shape[-1]).Expand(q.Shape.With(-2, q.Shape[-1])), T(q).MatMul(q));

    [Fact]
    public void FactorsMultiplyToTheMatrix()
    {
        Tensor a = Square(), symmetric = a + T(a);
        (Tensor w, Tensor v) = Linalg.Eigh(symmetric);
        Near(symmetric, (v * w.Unsqueeze(-2)).MatMul(T(v)));
        Orthonormal(v);
        foreach (Tensor x in (Tensor[])[a, Tall, T(Tall)])
        {
            (Tensor u, Tensor s, Tensor vh) = Linalg.Svd(x);
            Near(x, (u * s.Unsqueeze(-2)).MatMul(vh));
            Orthonormal(u);
            Orthonormal(T(vh));
            (Tensor q, Tensor r) = Linalg.Qr(x);
            Near(x, q.MatMul(r));
            Orthonormal(q);
        }
        (Tensor p, Tensor l, Tensor upper) = Linalg.Lu(a);
        Near(a, p.MatMul(l).MatMul(upper));
        Tensor definite = a.MatMul(T(a)) + Eye(3), root = Linalg.Cholesky(definite);
        Near(definite, root.MatMul(T(root)));
    }

    [Fact]
    public void SingularVectorsOfADeficientMatrixAreOrthonormal()
    {
        Tensor column = FiniteDifferences.Random([4, 1]), a = column.MatMul(FiniteDifferences.Random([1, 3], 2));
        (Tensor u, Tensor s, Tensor vh) = Linalg.Svd(a);
        Near(a, (u * s.Unsqueeze(-2)).MatMul(vh));
        Orthonormal(u);
        Assert.Equal(1, Linalg.MatrixRank(a).Item());
    }

    [Fact]
    public void EigenvaluesSumToTheTraceAndMultiplyToTheDeterminant()
    {
        Tensor a = FiniteDifferences.Random([6, 6]);
        double[] z = Linalg.EigVals(a).ToDoubles();
        var values = Enumerable.Range(0, 6).Select(i => new System.Numerics.Complex(z[2 * i], z[2 * i + 1])).ToArray();
        Assert.Equal(a.Trace().Item(), values.Aggregate((x, y) => x + y).Real, 1e-11);
        Assert.Equal(Linalg.Det(a).Item(), values.Aggregate((x, y) => x * y).Real, 1e-9);
    }

    [Fact]
    public void FactorsDifferentiate()
    {
        FiniteDifferences.Check(x => Linalg.Eigh(x[0] + T(x[0])) is var (w, v) ? v * w.Unsqueeze(-2) : x[0], Square());
        FiniteDifferences.Check(x => Linalg.Svd(x[0]) is var (u, s, vh) ? u.MatMul(vh * vh) + s.Sum(-1) : x[0], Tall);
        FiniteDifferences.Check(x => Linalg.Svd(x[0]) is var (u, s, vh) ? (u * u * s).MatMul(vh) : x[0], T(Tall));
        FiniteDifferences.Check(x => Linalg.Qr(x[0]) is var (q, r) ? q.MatMul(r * r) : x[0], Tall);
        FiniteDifferences.Check(x => Linalg.Qr(x[0]) is var (q, r) ? q.MatMul(r * r) : x[0], T(Tall));
        FiniteDifferences.Check(x => Linalg.Lu(x[0]) is var (p, l, u) ? l.MatMul(u * u) : x[0], Square());
        FiniteDifferences.Check(x => Linalg.Cholesky(x[0].MatMul(T(x[0])) + 1), Square() * Eye(3) + Square(2) * 0.1);
        FiniteDifferences.Check(x => Linalg.Pinv(x[0]), Tall);
        FiniteDifferences.Check(x => Linalg.Cond(x[0]), Square());
    }

    [Fact]
    public void SolutionsDifferentiate()
    {
        Tensor a = Square() + Eye(3) * 3, b = FiniteDifferences.Random([3, 2], 5);
        FiniteDifferences.Check(x => Linalg.Solve(x[0], x[1]), a, b);
        FiniteDifferences.Check(x => Linalg.SolveTriangular(x[0], x[1], upper: false), a, b);
        FiniteDifferences.Check(x => Linalg.SolveTriangular(x[0], x[1], upper: true), a, b);
        FiniteDifferences.Check(x => Linalg.Lstsq(x[0], x[1]), Tall, FiniteDifferences.Random([5, 2], 7));
        FiniteDifferences.Check(x => Linalg.MatrixPower(x[0], -2), a);
        FiniteDifferences.Check(x => Linalg.SLogDet(x[0]).LogAbsDet + Linalg.Det(x[0]), a);
    }

    [Fact]
    public void BadMatricesAreNamed()
    {
        Assert.Contains("singular", Assert.Throws<ArithmeticException>(() => Linalg.Inv(Tensor.Zeros([2, 2]))).Message);
        Assert.Contains("not positive definite", Assert.Throws<ArithmeticException>(() => Linalg.Cholesky(-Eye(2))).Message);
        Assert.Contains("square", Assert.Throws<ArgumentException>(() => Linalg.Det(Tensor.Zeros([2, 3]))).Message);
        Assert.Contains("right side", Assert.Throws<ArgumentException>(() => Linalg.Solve(Eye(2), Tensor.Zeros([3, 1]))).Message);
    }
}
