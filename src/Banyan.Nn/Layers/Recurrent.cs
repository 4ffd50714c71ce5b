namespace Banyan.Nn;

/// <summary>Settings of <see cref="Rnn"/>, <see cref="Lstm"/> and <see cref="Gru"/>.</summary>
public sealed record RecurrentOptions
{
    /// <summary>Layers, each reading the one below. Default: 1.</summary>
    public int NumLayers { get; init; } = 1;

    /// <summary>Whether there are biases. Default: true.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>True: tensors are (B, T, ...). Default: false, (T, B, ...).</summary>
    public bool BatchFirst { get; init; }

    /// <summary>Adds layers that read backwards; outputs are joined. Default: false.</summary>
    public bool Bidirectional { get; init; }

    /// <summary>Dropout between layers in training. Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>LSTM only: width that the hidden state is projected to; 0: none. Default: 0.</summary>
    public long ProjSize { get; init; }
}

/// <summary>
/// Layers of a recurrent network over sequences. Parameters carry PyTorch's names, for each layer k and (with <c>_reverse</c>) direction:
/// <c>weight_ih_lk</c> (gates H, in), <c>weight_hh_lk</c> (gates H, H), <c>bias_ih_lk</c>, <c>bias_hh_lk</c> (gates H), <c>weight_hr_lk</c> (P, H).
/// </summary>
public abstract class Recurrent : Module
{
    private readonly RecurrentOptions _o;
    private readonly long _hidden;
    private readonly RecurrentWeights[] _layers;    // layer 0 forward, layer 0 backward, layer 1 ...

    private protected Recurrent(int gates, long inputSize, long hiddenSize, RecurrentOptions? options)
    {
        _o = options ?? new RecurrentOptions();
        _hidden = hiddenSize;
        long output = _o.ProjSize > 0 ? _o.ProjSize : hiddenSize;
        _layers = new RecurrentWeights[_o.NumLayers * Directions];
        for (int i = 0; i < _layers.Length; i++)
        {
            int layer = i / Directions;
            string suffix = $"_l{layer}{(i % Directions == 1 ? "_reverse" : "")}";
            long width = layer == 0 ? inputSize : output * Directions;
            _layers[i] = new RecurrentWeights(Add, suffix, gates, width, hiddenSize, _o.Bias, _o.ProjSize);
        }
    }

    private int Directions => _o.Bidirectional ? 2 : 1;

    /// <summary>One step of one layer: the gates' share of the input (B, gates H), the state before; gives the state after.</summary>
    private protected abstract (Tensor H, Tensor? C) Step(Tensor gates, Tensor h, Tensor? c, in RecurrentWeights.Used w);

    private protected (Tensor Output, Tensor H, Tensor? C) Run(Tensor x, Tensor? h0, Tensor? c0, bool hasCell, int[]? lengths, ForwardPass pass)
    {
        x = _o.BatchFirst ? x.Transpose(0, 1) : x;                                   // (T, B, in)
        Check(x, lengths);
        Tensor[]? inside = lengths is null ? null : Masks(x, lengths, pass.Scope);
        var hs = new List<Tensor>();
        var cs = new List<Tensor>();
        for (int layer = 0; layer < _o.NumLayers; layer++)
        {
            var outputs = new Tensor[Directions];
            for (int d = 0; d < Directions; d++)
            {
                int i = layer * Directions + d;
                RecurrentWeights.Used w = _layers[i].Use(pass.Scope);
                Tensor h = State(h0, i, x, w.Projection is null ? _hidden : _o.ProjSize, pass);
                Tensor? c = hasCell ? State(c0, i, x, _hidden, pass) : null;
                (outputs[d], h, c) = Walk(x, h, c, w, backwards: d == 1, inside);
                hs.Add(h);
                cs.Add(c!);
            }
            x = outputs.Length == 1 ? outputs[0] : Tensor.Cat(outputs, -1);
            bool drops = pass.Training && _o.Dropout > 0 && layer < _o.NumLayers - 1;
            x = drops ? x.Dropout(_o.Dropout, pass.Seed, Initializer.Stream($"{Path}.dropout_l{layer}"), pass.Step) : x;
        }
        x = pass.Visit(this, _o.BatchFirst ? x.Transpose(0, 1) : x);
        return (x, Tensor.Stack([.. hs], 0), hasCell ? Tensor.Stack([.. cs], 0) : null);
    }

    private (Tensor Output, Tensor H, Tensor? C) Walk(Tensor x, Tensor h, Tensor? c, in RecurrentWeights.Used w, bool backwards, Tensor[]? inside)
    {
        Tensor gates = Ops.Linear.Apply(x, w.Input, w.InputBias, false);             // (T, B, gates H): one product for all steps
        var outputs = new Tensor[x.Shape[0]];
        for (int k = 0; k < outputs.Length; k++)
        {
            int t = backwards ? outputs.Length - 1 - k : k;
            (Tensor next, Tensor? cell) = Step(gates.Select(0, t), h, c, w);
            // A row that has ended (or, backwards, has not begun) keeps its state, and its output is 0.
            outputs[t] = inside is null ? next : next.MaskedFill(~inside[t], 0);
            h = inside is null ? next : Tensor.Where(inside[t], next, h);
            c = inside is null || c is null ? cell : Tensor.Where(inside[t], cell!, c);
        }
        return (Tensor.Stack(outputs, 0), h, c);
    }

    private static Tensor State(Tensor? states, int i, Tensor x, long width, ForwardPass pass) =>
        states is null ? pass.Scope.Zeros([x.Shape[1], width], x.DType) : states.Select(0, i);

    private static void Check(Tensor x, int[]? lengths)
    {
        if (x.Rank != 3 || x.Shape[0] == 0)
        {
            throw new ArgumentException($"recurrent layer: the input is (T, B, width) or, batch first, (B, T, width) with T > 0; given {x.Shape}");
        }
        if (lengths is not null && (lengths.Length != x.Shape[1] || Array.Exists(lengths, n => n < 1 || n > x.Shape[0])))
        {
            throw new ArgumentException($"recurrent layer: {lengths.Length} lengths for {x.Shape[1]} sequences of {x.Shape[0]} steps; each must lie in [1, {x.Shape[0]}]");
        }
    }

    // For each step (B, 1): whether each row is inside its sequence.
    private static Tensor[] Masks(Tensor x, int[] lengths, Scope scope) =>
        [.. Enumerable.Range(0, (int)x.Shape[0]).Select(t => scope.From(Array.ConvertAll(lengths, n => t < n), [lengths.Length, 1]))];
}

/// <summary>The parameters of one recurrent layer and direction, or of a cell.</summary>
internal sealed class RecurrentWeights
{
    private readonly Parameter _input, _hidden;
    private readonly Parameter? _inputBias, _hiddenBias, _projection;

    public delegate Parameter Register(string name, in Shape shape, Initializer? initializer);

    public RecurrentWeights(Register add, string suffix, int gates, long width, long hidden, bool bias, long projection)
    {
        Initializer uniform = Initializer.Uniform(1 / Math.Sqrt(Math.Max(1, hidden)));
        _input = add("weight_ih" + suffix, [gates * hidden, width], uniform);
        _hidden = add("weight_hh" + suffix, [gates * hidden, projection > 0 ? projection : hidden], uniform);
        _inputBias = bias ? add("bias_ih" + suffix, [gates * hidden], uniform) : null;
        _hiddenBias = bias ? add("bias_hh" + suffix, [gates * hidden], uniform) : null;
        _projection = projection > 0 ? add("weight_hr" + suffix, [projection, hidden], uniform) : null;
    }

    /// <summary>The parameters as tensors of a scope: taken once for all steps.</summary>
    public Used Use(Scope scope) => new()
    {
        Input = scope.Use(_input), Hidden = scope.Use(_hidden),
        InputBias = _inputBias is null ? null : scope.Use(_inputBias),
        HiddenBias = _hiddenBias is null ? null : scope.Use(_hiddenBias),
        Projection = _projection is null ? null : scope.Use(_projection),
    };

    internal readonly struct Used
    {
        public Tensor Input { get; init; }
        public Tensor Hidden { get; init; }
        public Tensor? InputBias { get; init; }
        public Tensor? HiddenBias { get; init; }
        public Tensor? Projection { get; init; }

        /// <summary>The gates' share of the input.</summary>
        public Tensor FromInput(Tensor x) => Ops.Linear.Apply(x, Input, InputBias, false);

        /// <summary>The gates' share of the hidden state.</summary>
        public Tensor FromHidden(Tensor h) => Ops.Linear.Apply(h, Hidden, HiddenBias, false);
    }
}
