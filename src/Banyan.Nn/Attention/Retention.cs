namespace Banyan.Nn;

/// <summary>
/// Retention (Sun et al. 2023, "Retentive Network", arXiv:2307.08621): linear attention without normaliser whose past fades by gamma at each position,
/// y_n = q_n S_n with S_n = gamma S_(n-1) + k_n^T v_n. One function has the paper's three forms: a chunk of the whole length is the parallel form
/// (equation 5), a chunk of 1 the recurrent one (6), and anything between the chunkwise one (7).
/// </summary>
public static class Retention
{
    /// <summary>The paper's gamma of each head: 1 - 2^(-5 - h).</summary>
    public static double[] Gammas(int heads) => [.. Enumerable.Range(0, heads).Select(h => 1 - Math.Pow(2, -5 - h))];

    /// <summary>Retention of every position over those up to it.</summary>
    /// <param name="q">(B, H, T, D).</param>
    /// <param name="k">(B, H, T, D), scaled already.</param>
    /// <param name="v">(B, H, T, Dv).</param>
    /// <param name="gamma">One number in (0, 1] for each head.</param>
    /// <param name="chunk">Positions computed at once; the result does not depend on it but for rounding. Default: all.</param>
    /// <param name="state">What an earlier call returned, to go on with. Default: nothing before.</param>
    /// <returns>(B, H, T, Dv), and the state S (B, H, D, Dv) after the last position.</returns>
    /// <exception cref="ArgumentException">Another number of gammas than heads.</exception>
    public static (Tensor Output, Tensor State) Apply(Tensor q, Tensor k, Tensor v, double[] gamma, int chunk = int.MaxValue, Tensor? state = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunk, 1);
        if (q.Rank != 4 || q.Shape[1] != gamma.Length || q.Shape[2] == 0)
        {
            throw new ArgumentException($"retention: q must be (B, {gamma.Length} heads as there are gammas, T > 0, D), given {q.Shape}");
        }
        var outputs = new List<Tensor>();
        (int Length, Tensor Among, Tensor ToEnd, Tensor FromState, Tensor Whole) fade = default;   // all chunks but the last have one length
        for (long t = 0; t < q.Shape[2]; t += chunk)
        {
            int n = (int)Math.Min(chunk, q.Shape[2] - t);
            Tensor qc = q.Slice(2, t, n), kc = k.Slice(2, t, n), vc = v.Slice(2, t, n);
            fade = fade.Length == n ? fade : (n, Powers(q, gamma, n, n, (i, j) => i - j), Powers(q, gamma, n, 1, (i, _) => n - 1 - i), Powers(q, gamma, n, 1, (i, _) => i + 1), Powers(q, gamma, 1, 1, (_, _) => n));
            Tensor own = (qc.MatMul(kc.Transpose(-1, -2)) * fade.Among).MatMul(vc);
            Tensor added = (kc * fade.ToEnd).Transpose(-1, -2).MatMul(vc);
            outputs.Add(state is null ? own : own + qc.MatMul(state) * fade.FromState);
            state = state is null ? added : state * fade.Whole + added;
        }
        return (outputs.Count == 1 ? outputs[0] : Tensor.Cat([.. outputs], 2), state!);
    }

    // (H, rows, columns): gamma to the exponent of each place, 0 where that is negative.
    private static Tensor Powers(Tensor like, double[] gamma, int rows, int columns, Func<int, int, int> exponent)
    {
        var powers = new float[checked(gamma.Length * rows * columns)];
        for (int at = 0; at < powers.Length; at++)
        {
            int e = exponent(at / columns % rows, at % columns);
            powers[at] = e < 0 ? 0 : (float)Math.Pow(gamma[at / columns / rows], e);
        }
        return Tensor.From(powers, [gamma.Length, rows, columns]).To(like.DType).InScopeOf(like);
    }
}
