namespace Banyan.Nn;

/// <summary>
/// softmax(q k^T / sqrt(D)) v on rectangles of sequences, as torch.nn.functional's function of this name: an adapter on the ragged
/// <see cref="Ops.Attention"/>, which keeps no score matrix (Dao et al. 2022, arXiv:2205.14135).
/// </summary>
public static class ScaledDotProductAttention
{
    /// <summary>Attention of the queries of each row of the batch to its keys.</summary>
    /// <param name="q">(B, H, Tq, D).</param>
    /// <param name="k">(B, Hkv, Tk, D); H is a multiple of Hkv (grouped queries).</param>
    /// <param name="v">(B, Hkv, Tk, Dv).</param>
    /// <param name="options">Window, masks, biases, scale; its layout is not used. Query 0 sits at key 0. Default: full attention.</param>
    /// <returns>(B, H, Tq, Dv).</returns>
    /// <exception cref="ArgumentException">Shapes, types or options do not fit.</exception>
    public static Tensor Apply(Tensor q, Tensor k, Tensor v, AttentionOptions? options = null)
    {
        if (q.Rank != 4 || k.Rank != 4 || v.Rank != 4 || q.Shape[0] != k.Shape[0])
        {
            throw new ArgumentException($"scaled dot product attention: q, k and v must be (batch, heads, length, dim) of one batch, given {q.Shape}, {k.Shape}, {v.Shape}");
        }
        var layout = SequenceLayout.Batch((int)q.Shape[0], (int)q.Shape[2], (int)k.Shape[2]);
        Tensor o = Ops.Attention.Apply(Tokens(q), Tokens(k), Tokens(v), (options ?? new AttentionOptions()).With(layout));
        return o.Reshape(q.Shape[0], q.Shape[2], q.Shape[1], v.Shape[3]).Transpose(1, 2);
    }

    // (B, H, T, D) to (B T, H, D).
    private static Tensor Tokens(Tensor x) => x.Transpose(1, 2).Reshape(x.Shape[0] * x.Shape[2], x.Shape[1], x.Shape[3]);
}
