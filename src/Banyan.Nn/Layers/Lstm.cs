namespace Banyan.Nn;

/// <summary>
/// Long short-term memory (Hochreiter and Schmidhuber 1997): gates i, f, g, o in this order; c = sigmoid(f) c + sigmoid(i) tanh(g),
/// h = sigmoid(o) tanh(c), projected where asked. Parameters: see <see cref="Recurrent"/>.
/// </summary>
public sealed class Lstm : Recurrent
{
    /// <summary>A network of one or more layers.</summary>
    public Lstm(long inputSize, long hiddenSize, RecurrentOptions? options = null)
        : base(4, inputSize, hiddenSize, options)
    {
    }

    /// <summary>x (T, B, in) to the last layer's hidden states (T, B, directions H) and the final h and c (layers directions, B, H).</summary>
    /// <param name="x">(T, B, in), or (B, T, in) when batch first.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="h0">First hidden states (layers directions, B, H or P). Default: zeros.</param>
    /// <param name="c0">First cells (layers directions, B, H). Default: zeros.</param>
    /// <param name="lengths">Steps of each row, for padded batches: outputs past the end are 0. Default: all.</param>
    public (Tensor Output, Tensor H, Tensor C) Forward(Tensor x, ForwardPass pass, Tensor? h0 = null, Tensor? c0 = null, int[]? lengths = null)
    {
        (Tensor y, Tensor h, Tensor? c) = Run(x, h0, c0, hasCell: true, lengths, pass);
        return (y, h, c!);
    }

    private protected override (Tensor H, Tensor? C) Step(Tensor gates, Tensor h, Tensor? c, in RecurrentWeights.Used w) => Next(gates, h, c!, w);

    internal static (Tensor H, Tensor C) Next(Tensor gates, Tensor h, Tensor c, in RecurrentWeights.Used w)
    {
        Tensor[] part = (gates + w.FromHidden(h)).Chunk(4, -1);                      // i, f, g, o
        c = part[1].Sigmoid() * c + part[0].Sigmoid() * part[2].Tanh();
        h = part[3].Sigmoid() * c.Tanh();
        return (w.Projection is null ? h : Ops.Linear.Apply(h, w.Projection, null, false), c);
    }
}

/// <summary>One step of <see cref="Lstm"/>. Parameters: <c>weight_ih</c>, <c>weight_hh</c>, <c>bias_ih</c>, <c>bias_hh</c>.</summary>
public sealed class LstmCell : Module
{
    private readonly RecurrentWeights _weights;

    /// <summary>A cell.</summary>
    public LstmCell(long inputSize, long hiddenSize, bool bias = true) => _weights = new RecurrentWeights(Add, "", 4, inputSize, hiddenSize, bias, 0);

    /// <summary>x (B, in), h and c (B, H) to the next h and c.</summary>
    public (Tensor H, Tensor C) Forward(Tensor x, Tensor h, Tensor c, ForwardPass pass)
    {
        RecurrentWeights.Used w = _weights.Use(pass.Scope);
        (h, c) = Lstm.Next(w.FromInput(x), h, c, w);
        return (pass.Visit(this, h), c);
    }
}
