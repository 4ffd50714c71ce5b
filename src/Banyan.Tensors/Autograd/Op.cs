namespace Banyan.Autograd;

/// <summary>
/// One application of a differentiable operation: its fields are the attributes (and the values saved for the backward pass).
/// Formula, shape rule, forward and backward of an operation stand together in one file of <c>Ops/</c>.
/// </summary>
public abstract class Op
{
    /// <summary>The operation's name, as PyTorch spells it: recomputation, export and drawings use it.</summary>
    public abstract string Name { get; }

    /// <summary>Bit i is set when the backward pass reads input i: an in-place update of it in between is then an error. Default: all.</summary>
    protected internal virtual uint SavedInputs => uint.MaxValue;

    /// <summary>Bit i is set when the backward pass reads output i. Default: all.</summary>
    protected internal virtual uint SavedOutputs => uint.MaxValue;

    /// <summary>
    /// Computes the gradients of the inputs from those of the outputs, and hands each to <see cref="BackwardContext.Grad"/>. Written in
    /// tensor operations, so that a second derivative works; a fused kernel may run where <see cref="BackwardContext.CreateGraph"/> is false.
    /// </summary>
    protected internal abstract void Backward(in BackwardContext c);
}
