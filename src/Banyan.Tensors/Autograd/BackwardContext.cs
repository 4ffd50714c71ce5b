namespace Banyan.Autograd;

/// <summary>What an <see cref="Op"/> sees in its backward pass.</summary>
public readonly ref struct BackwardContext
{
    private readonly Node _node;
    private readonly Tape _tape;

    internal BackwardContext(Tape tape, Node node, bool createGraph)
    {
        _tape = tape;
        _node = node;
        CreateGraph = createGraph;
    }

    /// <summary>True when the backward pass is itself recorded: only tensor operations may then be used.</summary>
    public bool CreateGraph { get; }

    /// <summary>The scope that owns the step.</summary>
    public Scope Scope => _tape.Scope;

    /// <summary>Receives the gradients of weights as (input, output gradient), for layers that can hand both over.</summary>
    public GradientSink Sink => _tape.Sink;

    /// <summary>Number of inputs.</summary>
    public int InputCount => _node.Inputs.Count;

    /// <summary>Number of outputs.</summary>
    public int OutputCount => _node.Outputs.Count;

    /// <summary>Input i of the forward pass.</summary>
    public Tensor Input(int i) => _node.Inputs[i];

    /// <summary>Output i of the forward pass.</summary>
    public Tensor Output(int i) => _node.Outputs[i];

    /// <summary>True when a gradient flows to input i; where it is false, computing one is wasted.</summary>
    public bool Needs(int i) => _node.Inputs[i].Body.RequiresGrad;

    /// <summary>True when a gradient arrived at output i.</summary>
    public bool HasGradOutput(int i) => _node.Outputs[i].Body.Grad is not null;

    /// <summary>The gradient of output i; zeros when none arrived.</summary>
    public Tensor GradOutput(int i = 0)
    {
        Tensor y = _node.Outputs[i];
        return y.Body.Grad ?? _tape.Scope.Zeros(y.Shape, y.DType);
    }

    /// <summary>Adds <paramref name="gradient"/> to the gradient of input i (ignored when none is needed).</summary>
    /// <exception cref="InvalidOperationException">Its shape is not the input's.</exception>
    public void Grad(int i, Tensor gradient)
    {
        Tensor x = _node.Inputs[i];
        if (!x.Body.RequiresGrad)
        {
            return;
        }
        if (gradient.Shape != x.Shape)
        {
            throw new InvalidOperationException($"backward of '{_node.Op.Name}': the gradient of input {i} is {gradient.Shape}, the input {x.Shape}");
        }
        _tape.Deliver(x, gradient, CreateGraph);
    }

    /// <summary>
    /// The leaf that input i is (through <see cref="Scope.Use"/>), when its gradient may go straight to the sink; else null. A layer that
    /// gets it hands (input, output gradient) to <see cref="Sink"/> instead of calling <see cref="Grad"/>.
    /// </summary>
    public Tensor? LeafForSink(int i)
    {
        Tensor x = _node.Inputs[i];
        return !CreateGraph && x.IsLeaf && x.Body.RequiresGrad && x.Body.Hook is null && !_tape.Collects(x) ? x : null;
    }
}
