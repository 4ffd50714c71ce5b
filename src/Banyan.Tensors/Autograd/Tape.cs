namespace Banyan.Autograd;

/// <summary>How a backward pass runs.</summary>
public sealed class BackwardOptions
{
    /// <summary>Records the backward pass, so that its results can be differentiated again. Default: false.</summary>
    public bool CreateGraph { get; init; }

    /// <summary>Keeps the records for another backward pass. Default: false.</summary>
    public bool RetainGraph { get; init; }

    /// <summary>
    /// Frees each operation's values as soon as its gradient is computed, except the start and what <see cref="Tensor.Keep"/> names: training
    /// loops use it to lower the peak. Default: false.
    /// </summary>
    public bool Release { get; init; }

    /// <summary>The options of training loops.</summary>
    public static BackwardOptions Releasing { get; } = new() { Release = true };

    internal static BackwardOptions Plain { get; } = new();
}

/// <summary>
/// The record of a scope's differentiable operations in the order they ran; the backward pass walks it in reverse, so a tensor's gradient is
/// complete when the operation that made the tensor is reached.
/// </summary>
public sealed class Tape
{
    private readonly List<Node> _nodes = [];
    private int _count;
    private int _pauses;
    private bool _releasing;
    private int _pieceStart;
    private HashSet<TensorBody>? _collected;

    internal Tape(Scope scope) => Scope = scope;

    /// <summary>The owner of the tensors.</summary>
    public Scope Scope { get; }

    /// <summary>Where gradients of leaves go. Default: <see cref="GradientSink.Default"/>.</summary>
    public GradientSink Sink { get; set; } = GradientSink.Default;

    /// <summary>True unless paused.</summary>
    public bool Recording => _pauses == 0;

    /// <summary>Number of recorded operations.</summary>
    public int Count => _count;

    /// <summary>The names of the recorded operations, in order.</summary>
    public IEnumerable<string> OpNames => _nodes.Take(_count).Select(n => n.Op.Name);

    /// <summary>Stops recording until the returned token is disposed: <c>using (tape.NoGrad()) { ... }</c>.</summary>
    public PauseToken NoGrad()
    {
        _pauses++;
        return new PauseToken(this);
    }

    /// <summary>Ends a <see cref="NoGrad"/> section.</summary>
    public readonly struct PauseToken : IDisposable
    {
        private readonly Tape _tape;

        internal PauseToken(Tape tape) => _tape = tape;

        /// <summary>Records again.</summary>
        public void Dispose() => _tape._pauses--;
    }

    /// <summary>True when an operation on these inputs in <paramref name="scope"/> must be recorded.</summary>
    internal static bool Needs(Scope? scope, Tensor a, Tensor? b = null, Tensor? c = null, Tensor? d = null) =>
        scope?.Tape is { Recording: true }
        && (a.Body.RequiresGrad || b?.Body.RequiresGrad == true || c?.Body.RequiresGrad == true || d?.Body.RequiresGrad == true);

    /// <summary>Records an operation; the outputs require gradients from now on (those of integer type do not).</summary>
    internal void Record(Op op, ReadOnlySpan<Tensor> inputs, params ReadOnlySpan<Tensor> outputs)
    {
        if (_count == _nodes.Count)
        {
            _nodes.Add(new Node());
        }
        foreach (Tensor y in outputs)
        {
            if (y.DType.IsFloat)
            {
                y.Body.RequiresGrad = true;
                y.Body.Node = _count;
            }
        }
        _nodes[_count++].Set(op, inputs, outputs, Scope.LiveCount);
    }

    /// <summary>True while a backward pass runs: tensors made now are its temporaries.</summary>
    internal bool InBackward { get; private set; }

    /// <summary>Runs the backward pass from <paramref name="output"/>.</summary>
    public void Backward(Tensor output, Tensor? gradient = null, BackwardOptions? options = null)
    {
        options ??= BackwardOptions.Plain;
        if (output.Body.Node < 0)
        {
            throw new InvalidOperationException("Backward: no gradient can flow from this tensor (it depends on no leaf that requires one, or the tape was cleared)");
        }
        Seed(output, gradient);
        output.Body.Kept = true;
        Run(0, output.Body.Node, options);
        if (!options.RetainGraph)
        {
            Clear();
        }
    }

    /// <summary>
    /// The gradients of <paramref name="output"/> with respect to <paramref name="inputs"/>, returned instead of added to
    /// <see cref="Tensor.Grad"/> (and nowhere else). Null where none flows. The tape is kept.
    /// </summary>
    public Tensor?[] Gradients(Tensor output, ReadOnlySpan<Tensor> inputs, Tensor? gradient = null, bool createGraph = false) =>
        Gradients([output], inputs, gradient is null ? [] : [gradient], createGraph);

    /// <summary>The gradients of several outputs together, see <see cref="Gradients(Tensor, ReadOnlySpan{Tensor}, Tensor?, bool)"/>.</summary>
    public Tensor?[] Gradients(ReadOnlySpan<Tensor> outputs, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> gradients, bool createGraph = false)
    {
        int last = -1;
        for (int i = 0; i < outputs.Length; i++)
        {
            if (outputs[i].Body.Node >= 0)
            {
                Seed(outputs[i], gradients.Length > i ? gradients[i] : null);
                last = Math.Max(last, outputs[i].Body.Node);
            }
        }
        var saved = new Tensor?[inputs.Length];
        _collected = [];
        for (int i = 0; i < inputs.Length; i++)
        {
            saved[i] = inputs[i].Body.Grad;
            inputs[i].Body.Grad = inputs[i].Body.Node >= 0 ? saved[i] : null;
            _collected.Add(inputs[i].Body);
        }
        try
        {
            Run(0, last, new BackwardOptions { CreateGraph = createGraph, RetainGraph = true });
        }
        finally
        {
            _collected = null;
        }
        var result = new Tensor?[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            result[i] = inputs[i].Body.Grad;
            inputs[i].Body.Grad = inputs[i].Body.Node >= 0 ? null : saved[i];
            inputs[i].Body.GradIsOwned = false;
        }
        return result;
    }

    /// <summary>Records again inside a pause (a checkpoint's second forward pass).</summary>
    internal ResumeToken Resume()
    {
        var token = new ResumeToken(this, _pauses);
        _pauses = 0;
        return token;
    }

    internal readonly struct ResumeToken(Tape tape, int pauses) : IDisposable
    {
        public void Dispose() => tape._pauses = pauses;
    }

    /// <summary>Walks and removes the records from <paramref name="first"/> on; returns the gradient of their entry.</summary>
    internal Tensor? BackwardPiece(int first, int liveStart, Tensor output, Tensor gradient, Tensor entry)
    {
        entry.Body.Node = int.MaxValue;   // an intermediate value, not a leaf: its gradient waits on it
        Seed(output, gradient);
        entry.Body.Kept = true;
        (int outer, _pieceStart) = (_pieceStart, liveStart);
        Run(first, _count - 1, _releasing ? BackwardOptions.Releasing : BackwardOptions.Plain);
        _pieceStart = outer;
        Truncate(first);
        Tensor? dx = entry.Body.Grad;
        if (dx is not null)
        {
            dx.Body.GradUses--;
        }
        entry.Body.Grad = null;
        entry.Body.Node = -1;
        return dx;
    }

    /// <summary>Forgets every record.</summary>
    public void Clear() => Truncate(0);

    internal bool Collects(Tensor x) => _collected is not null;

    internal void Truncate(int count)
    {
        for (int i = count; i < _count; i++)
        {
            foreach (Tensor y in _nodes[i].Outputs)
            {
                if (y.IsAlive)
                {
                    y.Body.Node = -1;
                }
            }
            _nodes[i].Clear();
        }
        _count = count;
    }

    internal void Seed(Tensor output, Tensor? gradient)
    {
        if (gradient is null)
        {
            if (output.Count != 1)
            {
                throw new InvalidOperationException($"Backward: the output {output} has {output.Count} elements; give its gradient");
            }
            gradient = Scope.Allocate(output.Shape, output.DType);
            gradient.Fill(1);
        }
        else if (gradient.Shape != output.Shape)
        {
            throw new ArgumentException($"Backward: the gradient given is {gradient.Shape}, the output {output.Shape}");
        }
        Deliver(output, gradient, createGraph: false);
    }

    /// <summary>Walks the records [first, last] in reverse.</summary>
    internal void Run(int first, int last, BackwardOptions options)
    {
        if (!options.CreateGraph)
        {
            _pauses++;
        }
        bool outer = _releasing, nested = InBackward;
        InBackward = true;
        _releasing = options.Release && !options.CreateGraph;
        int firstLive = first > 0 ? _nodes[first - 1].LiveEnd : 0;
        if (outer)
        {
            firstLive = Math.Max(firstLive, _pieceStart);
        }
        try
        {
            for (int i = last; i >= first; i--)
            {
                int made = Scope.LiveCount;
                RunNode(_nodes[i], options.CreateGraph);
                if (_releasing)
                {
                    // Everything its backward made that is no pending gradient, and everything made for this record in the forward pass.
                    Scope.ReleaseRange(made, Scope.LiveCount, static b => b.GradUses > 0 || b.Kept);
                    Scope.ReleaseRange(i > first ? _nodes[i - 1].LiveEnd : firstLive, _nodes[i].LiveEnd, static b => b.GradUses > 0 || b.Kept);
                }
            }
        }
        finally
        {
            _releasing = outer;
            InBackward = nested;
            if (!options.CreateGraph)
            {
                _pauses--;
            }
        }
    }

    private void RunNode(Node node, bool createGraph)
    {
        bool any = false;
        foreach (Tensor y in node.Outputs)
        {
            any |= y.Body.Grad is not null;
        }
        if (!any)
        {
            return;
        }
        node.CheckVersions();
        foreach (Tensor y in node.Outputs)
        {
            if (y.Body is { Hook: { } hook, Grad: { } g } body)
            {
                body.Grad = hook(g);
            }
        }
        node.Op.Backward(new BackwardContext(this, node, createGraph));
        foreach (Tensor y in node.Outputs)
        {
            DropGradient(y.Body);
        }
    }

    private void DropGradient(TensorBody body)
    {
        if (body.Grad is { } grad && _collected?.Contains(body) != true)
        {
            if (grad.IsAlive && --grad.Body.GradUses == 0 && _releasing && grad.Body.IsTransient && !grad.Body.Kept)
            {
                Scope.Release(grad.Body);
            }
            body.Grad = null;
            body.GradIsOwned = false;
        }
    }

    /// <summary>Adds a gradient to a tensor: to the sum that waits on an intermediate value, or, for a leaf, to the sink.</summary>
    internal void Deliver(Tensor x, Tensor gradient, bool createGraph)
    {
        TensorBody body = x.Body;
        bool collects = _collected?.Contains(body) == true;
        if (body.Node < 0 && !collects)
        {
            if (_collected is null)
            {
                Tensor g = body.Hook is null ? gradient : body.Hook(gradient);
                Sink.Accumulate(x, g);
            }
            return;
        }
        if (body.Grad is not { } sum)
        {
            body.Grad = gradient;
            gradient.Body.GradUses++;
            return;
        }
        if (body.GradIsOwned && !createGraph)
        {
            sum.AddInPlace(gradient);
            return;
        }
        // The first gradient may be shared with another tensor (addition hands the same one to both inputs), so the sum is a new tensor.
        Tensor total = sum + gradient;
        if (--sum.Body.GradUses == 0 && _releasing && sum.Body.IsTransient)
        {
            Scope.Release(sum.Body);
        }
        total.Body.GradUses++;
        body.Grad = total;
        body.GradIsOwned = true;
    }
}
