namespace Banyan.Tensors.Tests.Goldens;

/// <summary>Columns of factors are free up to their sign: the table gives them the reference's, then compares everything.</summary>
internal static class LinalgCases
{
    public static void Register(OpTable t)
    {
        const string L = "torch.linalg.";
        t[L + "inv"] = c => Linalg.Inv(c.X);
        t[L + "solve"] = c => Linalg.Solve(c["a"], c["b"]);
        t[L + "cholesky"] = c => Linalg.Cholesky(c.X);
        t["cholesky_solve"] = c => Linalg.CholeskySolve(c["b"], Linalg.Cholesky(c["a"]));
        t.Many("triangular", c => [Linalg.SolveTriangular(c["a"], c["b"], upper: false), Linalg.SolveTriangular(c["a"].Transpose(0, 1), c["b"], upper: true)]);
        t[L + "det"] = c => Linalg.Det(c.X);
        t.Many(L + "slogdet", c => Linalg.SLogDet(c.X) is var (sign, log) ? [sign, log] : []);
        t[L + "eigvalsh"] = c => Linalg.EigValsH(c.X);
        t[L + "svdvals"] = c => Linalg.SvdVals(c.X);
        t[L + "pinv"] = c => Linalg.Pinv(c.X);
        t["lstsq"] = c => Linalg.Lstsq(c["a"], c["b"]);
        t[L + "matrix_rank"] = c => Linalg.MatrixRank(c.X);
        t[L + "cond"] = c => Linalg.Cond(c.X);
        t[L + "matrix_exp"] = c => Linalg.MatrixExp(c.X);
        t[L + "matrix_power"] = c => Linalg.MatrixPower(c.X, c.Int("n"));
        t.Many(L + "lu", c => Linalg.Lu(c.X) is var (p, l, u) ? [p, l, u] : []);
        t["householder"] = c => 1 * Ops.MatrixBatch.Eye(c.X, c.X.Count).To(DType.Float32) - c.X.Outer(c.X) * 2 / c.X.Dot(c.X);
        t["eig"] = c => Sorted(Linalg.EigVals(c.X));
        t.Many(L + "eigh", c => Linalg.Eigh(c.X) is var (w, v) ? [w, v * Signs(v, c.Expected("vectors"), -2)] : []);
        t.Many(L + "svd", c =>
        {
            (Tensor u, Tensor s, Tensor vh) = Linalg.Svd(c.X);
            Tensor signs = Signs(u, c.Expected("u"), -2);
            return [u * signs, s, vh * signs.Transpose(-1, -2)];
        });
        t.Many(L + "qr", c =>
        {
            (Tensor q, Tensor r) = Linalg.Qr(c.X);
            Tensor signs = Signs(q, c.Expected("q"), -2);
            return [q * signs, r * signs.Transpose(-1, -2)];
        });
    }

    // +1 or -1 for each column: what turns it towards the reference.
    private static Tensor Signs(Tensor x, Tensor expected, int dim) => ((x * expected).Sum(dim, keepDim: true) > 0).To(DType.Float32) * 2 - 1;

    private static Tensor Sorted(Tensor complex)
    {
        float[] v = complex.ToArray<float>();
        var pairs = Enumerable.Range(0, v.Length / 2).Select(i => (Re: v[2 * i], Im: v[2 * i + 1])).Order();
        return Tensor.From([.. pairs.SelectMany(p => new[] { p.Re, p.Im })], complex.Shape);
    }
}
