namespace Banyan.Nn;

/// <summary>
/// The matrix memory of xLSTM (Beck et al. 2024, arXiv:2405.04517), mLSTM: C_t = f_t C_(t-1) + i_t k_t v_t^T with a norm n_t = f_t n_(t-1) + i_t k_t, and h_t = C_t^T q_t / max(|n_t q_t|, 1).
/// The input gate is an exponential; so that nothing overflows, all is kept relative to exp(m_t), the largest weight so far. Within a chunk it is attention with weights by the gates, and only the
/// memory passes from chunk to chunk.
/// </summary>
public static class MatrixMemory
{
    /// <summary>What passes from token to token.</summary>
    /// <param name="Memory">C (H, K, V), over exp(m).</param>
    /// <param name="Norm">n (H, K), over exp(m).</param>
    /// <param name="LogScale">m (H, 1).</param>
    public sealed record State(Tensor Memory, Tensor Norm, Tensor LogScale);

    /// <summary>Runs one sequence.</summary>
    /// <param name="q">(H, T, K), scaled already.</param>
    /// <param name="k">(H, T, K).</param>
    /// <param name="v">(H, T, V).</param>
    /// <param name="input">Logarithms of the input gate (H, T).</param>
    /// <param name="forget">Logarithms of the forget gate (H, T), at most 0.</param>
    /// <param name="state">Before the first token; null: empty.</param>
    /// <param name="chunk">Tokens computed at once; the result does not depend on it but for rounding. Default: 64.</param>
    /// <param name="eps">Added to the divisor. Default: 1e-6.</param>
    /// <returns>h (H, T, V), and the state behind the last token.</returns>
    public static (Tensor Y, State State) Apply(Tensor q, Tensor k, Tensor v, Tensor input, Tensor forget, State? state = null, int chunk = 64, double eps = 1e-6)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunk, 1);
        long length = q.Shape[1];
        if (q.Shape != k.Shape || length == 0 || input.Shape != forget.Shape)
        {
            throw new ArgumentException($"matrix memory: queries {q.Shape} and keys {k.Shape} must be alike, so must {input.Shape} and {forget.Shape}; T is {length}, at least 1");
        }
        var outputs = new List<Tensor>();
        for (long t = 0; t < length; t += chunk)
        {
            long n = Math.Min(chunk, length - t);
            Tensor qc = q.Slice(1, t, n), kc = k.Slice(1, t, n), vc = v.Slice(1, t, n), i = input.Slice(1, t, n), sum = forget.Slice(1, t, n).CumSum(1);
            Tensor weights = sum.Unsqueeze(2) - sum.Unsqueeze(1) + i.Unsqueeze(1);                                                         // logarithms, of token j at token i
            weights = n == 1 ? weights : weights.MaskedFill(Later(n, q), double.NegativeInfinity);
            Tensor scale = weights.Detach().AMax([2]), end = sum.Slice(1, n - 1, 1), atEnd = end - sum + i, endScale = atEnd.Detach().AMax([1]).Unsqueeze(1);
            Tensor? before = state is null ? null : sum + state.LogScale;
            if (before is not null)
            {
                scale = Tensor.Maximum(scale, before.Detach());
                endScale = Tensor.Maximum(endScale, (end + state!.LogScale).Detach());
            }
            Tensor overlap = qc.MatMul(kc.Transpose(1, 2)) * (weights - scale.Unsqueeze(2)).Exp();
            (Tensor read, Tensor norm) = (overlap.MatMul(vc), overlap.Sum([2]));
            Tensor keep = (atEnd - endScale).Exp().Unsqueeze(2) * kc;                                                                      // (H, n, K)
            (Tensor memory, Tensor weight) = (keep.Transpose(1, 2).MatMul(vc), keep.Sum([1]));
            if (before is not null)
            {
                Tensor old = (before - scale).Exp().Unsqueeze(2) * qc, fade = (end + state!.LogScale - endScale).Exp();
                (read, norm) = (read + old.MatMul(state.Memory), norm + old.MatMul(state.Norm.Unsqueeze(2)).Squeeze(2));
                (memory, weight) = (state.Memory * fade.Unsqueeze(2) + memory, state.Norm * fade + weight);
            }
            outputs.Add(read / (Tensor.Maximum(norm.Abs(), (-scale).Exp()) + eps).Unsqueeze(2));
            state = new State(memory, weight, endScale);
        }
        return (outputs.Count == 1 ? outputs[0] : Tensor.Cat([.. outputs], 1), state!);
    }

    private static Tensor Later(long n, Tensor like) => Tensor.From([.. Enumerable.Range(0, (int)(n * n)).Select(x => x % n > x / n)], [n, n]).InScopeOf(like);
}
