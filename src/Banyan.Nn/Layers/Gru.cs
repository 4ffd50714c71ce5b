namespace Banyan.Nn;

/// <summary>
/// Gated recurrent unit (Cho et al. 2014, arXiv:1406.1078): gates r, z, n in this order; n = tanh(W_in x + b_in + r (W_hn h + b_hn)),
/// h = (1 - z) n + z h. Parameters: see <see cref="Recurrent"/>.
/// </summary>
public sealed class Gru : Recurrent
{
    /// <summary>A network of one or more layers.</summary>
    public Gru(long inputSize, long hiddenSize, RecurrentOptions? options = null)
        : base(3, inputSize, hiddenSize, options)
    {
    }

    /// <summary>x (T, B, in) to the last layer's hidden states (T, B, directions H) and the final ones (layers directions, B, H).</summary>
    /// <param name="x">(T, B, in), or (B, T, in) when batch first.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="h0">First states (layers directions, B, H). Default: zeros.</param>
    /// <param name="lengths">Steps of each row, for padded batches: outputs past the end are 0. Default: all.</param>
    public (Tensor Output, Tensor H) Forward(Tensor x, ForwardPass pass, Tensor? h0 = null, int[]? lengths = null)
    {
        (Tensor y, Tensor h, _) = Run(x, h0, null, hasCell: false, lengths, pass);
        return (y, h);
    }

    private protected override (Tensor H, Tensor? C) Step(Tensor gates, Tensor h, Tensor? c, in RecurrentWeights.Used w) => (Next(gates, h, w), null);

    internal static Tensor Next(Tensor gates, Tensor h, in RecurrentWeights.Used w)
    {
        Tensor[] x = gates.Chunk(3, -1), s = w.FromHidden(h).Chunk(3, -1);           // r, z, n
        Tensor r = (x[0] + s[0]).Sigmoid(), z = (x[1] + s[1]).Sigmoid(), n = (x[2] + r * s[2]).Tanh();
        return n + z * (h - n);
    }
}

/// <summary>One step of <see cref="Gru"/>. Parameters: <c>weight_ih</c>, <c>weight_hh</c>, <c>bias_ih</c>, <c>bias_hh</c>.</summary>
public sealed class GruCell : Module
{
    private readonly RecurrentWeights _weights;

    /// <summary>A cell.</summary>
    public GruCell(long inputSize, long hiddenSize, bool bias = true) => _weights = new RecurrentWeights(Add, "", 3, inputSize, hiddenSize, bias, 0);

    /// <summary>x (B, in) and h (B, H) to the next h.</summary>
    public Tensor Forward(Tensor x, Tensor h, ForwardPass pass)
    {
        RecurrentWeights.Used w = _weights.Use(pass.Scope);
        return pass.Visit(this, Gru.Next(w.FromInput(x), h, w));
    }
}
