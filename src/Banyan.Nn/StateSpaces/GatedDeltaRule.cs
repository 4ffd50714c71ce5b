namespace Banyan.Nn;

/// <summary>
/// The gated delta rule (Yang, Kautz, Hatamizadeh 2024, arXiv:2412.06464): a memory S of keys and values that fades and, before it takes a value in, forgets what it held for the same key,
/// S_t = exp(g_t) S_(t-1) + k_t (beta_t (v_t - exp(g_t) S_(t-1)^T k_t))^T and o_t = S_t^T q_t. Within a chunk the corrections depend on each other; together they are the solution of one triangular
/// system (the WY form), so that all else is matrix products and only the memory passes from chunk to chunk.
/// </summary>
public static class GatedDeltaRule
{
    /// <summary>Runs one sequence.</summary>
    /// <param name="q">(H, T, K).</param>
    /// <param name="k">(H, T, K), of length at most 1.</param>
    /// <param name="v">(H, T, V).</param>
    /// <param name="g">Logarithms of the decay (H, T), at most 0.</param>
    /// <param name="beta">How much of a correction is written (H, T), 0 to 1.</param>
    /// <param name="state">(H, K, V) before the first token; null: zeros.</param>
    /// <param name="chunk">Tokens computed at once; the result does not depend on it but for rounding. Default: 32.</param>
    /// <returns>o (H, T, V), and the memory behind the last token (H, K, V).</returns>
    public static (Tensor Y, Tensor State) Apply(Tensor q, Tensor k, Tensor v, Tensor g, Tensor beta, Tensor? state = null, int chunk = 32)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunk, 1);
        long length = q.Shape[1];
        if (q.Shape != k.Shape || length == 0 || g.Shape != beta.Shape)
        {
            throw new ArgumentException($"gated delta rule: queries {q.Shape} and keys {k.Shape} must be alike, so must {g.Shape} and {beta.Shape}; T is {length}, at least 1");
        }
        var outputs = new List<Tensor>();
        for (long t = 0; t < length; t += chunk)
        {
            long n = Math.Min(chunk, length - t);
            Tensor qc = q.Slice(1, t, n), kc = k.Slice(1, t, n), b = beta.Slice(1, t, n).Unsqueeze(2), sum = g.Slice(1, t, n).CumSum(1);   // (H, n)
            Tensor? faded = n == 1 ? null : (sum.Unsqueeze(2) - sum.Unsqueeze(1)).MaskedFill(Above(n, 1, q), double.NegativeInfinity).Exp();   // from j to i, j at most i; 1 of one token
            Tensor decay = sum.Exp().Unsqueeze(2), written = v.Slice(1, t, n) * b;                                                         // (H, n, 1), (H, n, V)
            if (state is not null)
            {
                written -= (kc * b * decay).MatMul(state);
            }
            // Token i corrects for what tokens before it wrote: (I + L) x = written, with L below the diagonal.
            Tensor corrected = faded is null ? written
                : Linalg.SolveTriangular(((kc * b).MatMul(kc.Transpose(1, 2)) * faded).MaskedFill(Above(n, 0, q), 0) + Identity(n, q), written, upper: false);
            Tensor overlap = qc.MatMul(kc.Transpose(1, 2)), o = (faded is null ? overlap : overlap * faded).MatMul(corrected);
            outputs.Add(state is null ? o : o + (qc * decay).MatMul(state));
            Tensor last = sum.Slice(1, n - 1, 1);                                                                                          // (H, 1)
            Tensor added = (kc * (last - sum).Exp().Unsqueeze(2)).Transpose(1, 2).MatMul(corrected);
            state = state is null ? added : state * last.Exp().Unsqueeze(2) + added;
        }
        return (outputs.Count == 1 ? outputs[0] : Tensor.Cat([.. outputs], 1), state!);
    }

    // True where the column lies at least so far right of the row.
    private static Tensor Above(long n, int by, Tensor like) => Owned(Tensor.From([.. Enumerable.Range(0, (int)(n * n)).Select(i => i % n >= i / n + by)], [n, n]), like);

    private static Tensor Identity(long n, Tensor like) => Owned(Tensor.From([.. Enumerable.Range(0, (int)(n * n)).Select(i => i % n == i / n ? 1f : 0f)], [n, n]), like);

    private static Tensor Owned(Tensor x, Tensor like) => like.Scope is { } scope ? scope.Use(x) : x;
}
