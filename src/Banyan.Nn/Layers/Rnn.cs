namespace Banyan.Nn;

/// <summary>Elman's network: h = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu. Parameters: see <see cref="Recurrent"/>.</summary>
public sealed class Rnn : Recurrent
{
    private readonly bool _relu;

    /// <summary>A network of one or more layers.</summary>
    public Rnn(long inputSize, long hiddenSize, RecurrentOptions? options = null, bool relu = false)
        : base(1, inputSize, hiddenSize, options) => _relu = relu;

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

    private protected override (Tensor H, Tensor? C) Step(Tensor gates, Tensor h, Tensor? c, in RecurrentWeights.Used w) => (Next(gates, h, w, _relu), null);

    internal static Tensor Next(Tensor gates, Tensor h, in RecurrentWeights.Used w, bool relu)
    {
        Tensor sum = gates + w.FromHidden(h);
        return relu ? sum.Relu() : sum.Tanh();
    }
}

/// <summary>One step of <see cref="Rnn"/>. Parameters: <c>weight_ih</c>, <c>weight_hh</c>, <c>bias_ih</c>, <c>bias_hh</c>.</summary>
public sealed class RnnCell : Module
{
    private readonly RecurrentWeights _weights;
    private readonly bool _relu;

    /// <summary>A cell.</summary>
    public RnnCell(long inputSize, long hiddenSize, bool bias = true, bool relu = false)
    {
        _weights = new RecurrentWeights(Add, "", 1, inputSize, hiddenSize, bias, 0);
        _relu = relu;
    }

    /// <summary>x (B, in) and h (B, H) to the next h.</summary>
    public Tensor Forward(Tensor x, Tensor h, ForwardPass pass)
    {
        RecurrentWeights.Used w = _weights.Use(pass.Scope);
        return pass.Visit(this, Rnn.Next(w.FromInput(x), h, w, _relu));
    }
}
