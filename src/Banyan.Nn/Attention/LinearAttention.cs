namespace Banyan.Nn;

/// <summary>
/// Attention in time linear in the length (Katharopoulos et al. 2020, "Transformers are RNNs", arXiv:2006.16236): the softmax kernel becomes a product
/// of features, so that y_i = f(q_i) S / (f(q_i) z) with S = sum of f(k_j)^T v_j and z = sum of f(k_j), over all keys or those up to i. The functions
/// take features: <see cref="Features"/> are the paper's, <see cref="Performer"/> has others.
/// </summary>
public static class LinearAttention
{
    /// <summary>elu(x) + 1, which is positive.</summary>
    public static Tensor Features(Tensor x) => x.Elu() + 1;

    /// <summary>Every query sees every key.</summary>
    /// <param name="q">Features of the queries (..., Tq, F).</param>
    /// <param name="k">Features of the keys (..., Tk, F).</param>
    /// <param name="v">(..., Tk, D).</param>
    /// <returns>(..., Tq, D).</returns>
    public static Tensor Apply(Tensor q, Tensor k, Tensor v)
    {
        Tensor state = k.Transpose(-1, -2).MatMul(v), normaliser = k.Sum(-2).Unsqueeze(-1);    // (..., F, D), (..., F, 1)
        return q.MatMul(state) / q.MatMul(normaliser);
    }

    /// <summary>
    /// Every query sees the keys up to its own position. Chunks are computed like attention without softmax, and what lies before a chunk comes from the
    /// state; with a chunk of 1 this is the paper's recurrence.
    /// </summary>
    /// <param name="q">Features of the queries (..., T, F).</param>
    /// <param name="k">Features of the keys (..., T, F).</param>
    /// <param name="v">(..., T, D).</param>
    /// <param name="state">What an earlier call returned, to go on with. Default: nothing before.</param>
    /// <param name="eps">Added to z. Default: 0.</param>
    /// <param name="chunk">Positions computed at once; the result does not depend on it but for rounding. Default: 64.</param>
    /// <returns>(..., T, D), and the state (..., F, D + 1): S, and z as last column.</returns>
    public static (Tensor Output, Tensor State) Causal(Tensor q, Tensor k, Tensor v, Tensor? state = null, double eps = 0, int chunk = 64)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunk, 1);
        long width = v.Shape[-1];
        v = v.Pad([0, 1], value: 1);                                                            // z is the sum for a value of 1
        var outputs = new List<Tensor>();
        for (long t = 0; t < q.Shape[-2]; t += chunk)
        {
            long n = Math.Min(chunk, q.Shape[-2] - t);
            Tensor qc = q.Slice(-2, t, n), kc = k.Slice(-2, t, n).Transpose(-1, -2), vc = v.Slice(-2, t, n);
            Tensor own = qc.MatMul(kc).Tril().MatMul(vc);
            outputs.Add(state is null ? own : own + qc.MatMul(state));
            state = state is null ? kc.MatMul(vc) : state + kc.MatMul(vc);
        }
        Tensor y = Tensor.Cat([.. outputs], -2), z = y.Slice(-1, width, 1);
        return (y.Slice(-1, 0, width) / (eps == 0 ? z : z + q.Sum(-1, keepDim: true) * eps), state!);
    }
}
