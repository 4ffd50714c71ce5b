namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>
    /// The selective state space of Mamba (Gu and Dao 2023, arXiv:2312.00752): each channel i keeps a state of N numbers, with A discretised by
    /// zero-order hold and B by Euler: h[t] = exp(dt[t] A) h[t - 1] + dt[t] B[t] x[t], y[t] = C[t] . h[t] + D x[t]. This is x, (T, I).
    /// </summary>
    /// <param name="dt">Step sizes (T, I), positive.</param>
    /// <param name="a">A (I, N), negative.</param>
    /// <param name="b">B (T, N).</param>
    /// <param name="c">C (T, N).</param>
    /// <param name="d">D (I): what passes by the state.</param>
    /// <param name="state">(I, N): h before the first step; null: zeros.</param>
    /// <returns>y (T, I), and the state behind the last step.</returns>
    public (Tensor Y, Tensor State) SelectiveScan(Tensor dt, Tensor a, Tensor b, Tensor c, Tensor d, Tensor? state = null)
    {
        Tensor decay = (dt.Unsqueeze(2) * a).Exp();                       // (T, I, N)
        Tensor input = (dt * this).Unsqueeze(2) * b.Unsqueeze(1);
        if (state is not null)   // as a step of its own before the others: then a text that is cut anywhere gives the same bits
        {
            decay = Cat([decay.Slice(0, 0, 1), decay], 0);
            input = Cat([state.Unsqueeze(0), input], 0);
        }
        Tensor h = decay.LinearRecurrence(input, 0);
        h = state is null ? h : h.Slice(0, 1, Shape[0]);
        Tensor y = h.MatMul(c.Unsqueeze(2)).Squeeze(2) + this * d;        // (T, I, N) (T, N, 1)
        return (y, h.Select(0, Shape[0] - 1));
    }
}
