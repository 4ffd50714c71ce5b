namespace Banyan.Nn;

/// <summary>
/// The recurrence of Mamba 2 (Dao and Gu 2024, arXiv:2405.21060), h_t = exp(dt_t a) h_(t-1) + dt_t x_t B_t^T and y_t = h_t C_t, whose decay is one number for each
/// head. So a chunk of it is a masked product like attention's, and only the state passes from chunk to chunk.
/// </summary>
public static class StateSpaceDuality
{
    /// <summary>Runs one sequence.</summary>
    /// <param name="x">(T, H, P).</param>
    /// <param name="dt">Steps (T, H), positive.</param>
    /// <param name="a">(H), negative.</param>
    /// <param name="b">(T, G, N): each group serves H / G heads that lie side by side.</param>
    /// <param name="c">(T, G, N).</param>
    /// <param name="state">(H, P, N) before the first token; null: zeros.</param>
    /// <param name="chunk">Tokens computed at once; the result does not depend on it but for rounding. Default: 64.</param>
    /// <returns>y (T, H, P), and the state behind the last token (H, P, N).</returns>
    public static (Tensor Y, Tensor State) Apply(Tensor x, Tensor dt, Tensor a, Tensor b, Tensor c, Tensor? state = null, int chunk = 64)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunk, 1);
        long heads = x.Shape[1], length = x.Shape[0];
        if (b.Shape != c.Shape || heads % b.Shape[1] != 0 || length == 0)
        {
            throw new ArgumentException($"state space duality: B {b.Shape} and C {c.Shape} must be alike and their groups divide the {heads} heads; T is {length}, at least 1");
        }
        // Heads first: (H, T, ...).
        Tensor steps = dt.Transpose(0, 1), decay = steps * a.Unsqueeze(1);                                      // (H, T), log of the decay
        Tensor fed = x.Transpose(0, 1) * steps.Unsqueeze(2), bh = ForHeads(b, heads), ch = ForHeads(c, heads);  // (H, T, P), (H, T, N)
        var outputs = new List<Tensor>();
        for (long t = 0; t < length; t += chunk)
        {
            long n = Math.Min(chunk, length - t);
            Tensor sum = decay.Slice(1, t, n).CumSum(1), k = bh.Slice(1, t, n), q = ch.Slice(1, t, n), v = fed.Slice(1, t, n);
            Tensor faded = (sum.Unsqueeze(2) - sum.Unsqueeze(1)).MaskedFill(Future(n, x), double.NegativeInfinity).Exp();
            Tensor y = (q.MatMul(k.Transpose(1, 2)) * faded).MatMul(v);
            Tensor last = sum.Slice(1, n - 1, 1);                                                                // (H, 1)
            Tensor added = (v * (last - sum).Exp().Unsqueeze(2)).Transpose(1, 2).MatMul(k);                      // (H, P, N)
            outputs.Add(state is null ? y : y + q.MatMul(state.Transpose(1, 2)) * sum.Exp().Unsqueeze(2));
            state = state is null ? added : state * last.Exp().Unsqueeze(2) + added;
        }
        return ((outputs.Count == 1 ? outputs[0] : Tensor.Cat([.. outputs], 1)).Transpose(0, 1), state!);
    }

    // (T, G, N) to (H, T, N).
    private static Tensor ForHeads(Tensor x, long heads)
    {
        long each = heads / x.Shape[1];
        return x.Transpose(0, 1).Unsqueeze(1).Expand([x.Shape[1], each, x.Shape[0], x.Shape[2]]).Reshape(heads, x.Shape[0], x.Shape[2]);
    }

    private static Tensor Future(long n, Tensor like)
    {
        Tensor mask = Tensor.From([.. Enumerable.Range(0, (int)(n * n)).Select(i => i % n > i / n)], [n, n]);
        return like.Scope is { } scope ? scope.Use(mask) : mask;
    }
}
