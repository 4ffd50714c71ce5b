namespace Banyan.Nn;

/// <summary>
/// RetNet's layer in place of attention (Sun et al. 2023, arXiv:2307.08621, equation 8): <see cref="Retention"/> of rotated queries and keys with another
/// gamma in each head, a norm of each head's output, and a gate: W_o (silu(W_g x) * norm(retention)). Parameters: <c>q_proj.weight</c>,
/// <c>k_proj.weight</c> (C, C), <c>v_proj.weight</c>, <c>g_proj.weight</c> (V, C), <c>out_proj.weight</c> (C, V).
/// </summary>
public sealed class MultiScaleRetention : Module
{
    private readonly int _heads;
    private readonly long _keyDim;
    private readonly double _eps;
    private readonly double[] _gamma;
    private readonly Linear _q, _k, _v, _g, _out;

    /// <summary>A layer of <paramref name="numHeads"/> heads.</summary>
    /// <param name="embedDim">C; heads of C / H, an even number.</param>
    /// <param name="valueDim">V, a multiple of the heads; the paper takes 2 C.</param>
    /// <param name="numHeads">H.</param>
    /// <param name="eps">Of the norm. Default: 1e-6.</param>
    /// <exception cref="ArgumentException">The widths do not split into heads.</exception>
    public MultiScaleRetention(long embedDim, long valueDim, int numHeads, double eps = 1e-6)
    {
        if (numHeads < 1 || embedDim % (2 * numHeads) != 0 || valueDim % numHeads != 0)
        {
            throw new ArgumentException($"retention: widths {embedDim} and {valueDim} do not split into {numHeads} heads of an even width");
        }
        (_heads, _keyDim, _eps, _gamma) = (numHeads, embedDim / numHeads, eps, Retention.Gammas(numHeads));
        _q = Add("q_proj", new Linear(embedDim, embedDim, bias: false));
        _k = Add("k_proj", new Linear(embedDim, embedDim, bias: false));
        _v = Add("v_proj", new Linear(embedDim, valueDim, bias: false));
        _g = Add("g_proj", new Linear(embedDim, valueDim, bias: false));
        _out = Add("out_proj", new Linear(valueDim, embedDim, bias: false));
    }

    /// <summary>x (B, T, C) to the same.</summary>
    /// <param name="x">(B, T, C).</param>
    /// <param name="pass">The pass.</param>
    /// <param name="chunk">Positions computed at once. Default: all, the parallel form.</param>
    /// <param name="state">What an earlier call returned, to go on with. Default: nothing before.</param>
    /// <param name="position">Position of the first token: how many the state has seen. Default: 0.</param>
    /// <returns>(B, T, C), and the state for the next tokens.</returns>
    public (Tensor Output, Tensor State) Forward(Tensor x, ForwardPass pass, int chunk = int.MaxValue, Tensor? state = null, long position = 0)
    {
        Tensor q = Rotate(_q.Forward(x, pass), position), k = Rotate(_k.Forward(x, pass) * (1 / Math.Sqrt(_keyDim)), position);
        // A value of 1 makes the last column the sum of the scores.
        (Tensor y, state) = Retention.Apply(q, k, Heads(_v.Forward(x, pass)).Pad([0, 1], value: 1), _gamma, chunk, state);
        y = Scale(y, position).RmsNorm(eps: _eps).Transpose(1, 2).Reshape(x.Shape[0], x.Shape[1], -1);
        return (pass.Visit(this, _out.Forward(_g.Forward(x, pass).Silu() * y, pass)), state);
    }

    // (B, T, H D) to (B, H, T, D).
    private Tensor Heads(Tensor x) => x.Reshape(x.Shape[0], x.Shape[1], _heads, -1).Transpose(1, 2);

    // Pairs of neighbours turn by position * 10000^(-i / (D / 2 - 1)): the last pair is 10000 times slower than the first.
    private Tensor Rotate(Tensor x, long position)
    {
        long batch = x.Shape[0], length = x.Shape[1], half = _keyDim / 2;
        var angles = new double[batch * length * half];
        for (long at = 0; at < angles.Length; at++)
        {
            angles[at] = (position + at / half % length) * Math.Pow(10000, -(double)(at % half) / Math.Max(1, half - 1));
        }
        Tensor turned = Ops.Rotary.Apply(
            x.Reshape(batch * length, _heads, _keyDim), Table(angles, Math.Cos, half), Table(angles, Math.Sin, half), interleaved: true);
        return Heads(turned.Reshape(x.Shape));
    }

    private static Tensor Table(double[] angles, Func<double, double> f, long half) =>
        Tensor.From(Array.ConvertAll(angles, a => (float)f(a)), [angles.Length / half, half]);

    // The paper's first two normalisations: by sqrt(sum of gamma^i), then by the scores' sum where that is above 1, a constant for the gradient. The norm
    // behind them hides all but its eps of it.
    private Tensor Scale(Tensor y, long position)
    {
        long length = y.Shape[2], width = y.Shape[3] - 1;
        var factors = new float[_heads * length];
        for (long at = 0; at < factors.Length; at++)
        {
            double gamma = _gamma[at / length];
            factors[at] = (float)Math.Sqrt((1 - gamma) / (1 - Math.Pow(gamma, position + at % length + 1)));
        }
        y *= Tensor.From(factors, [_heads, length, 1]).To(y.DType).InScopeOf(y);
        return y.Slice(3, 0, width) / y.Slice(3, width, 1).Detach().Abs().Clamp(min: 1);
    }
}
