using Banyan.Autograd;
using Banyan.Memory;

namespace Banyan;

/// <summary>
/// An n-dimensional array with reverse-mode gradients. It belongs to a <see cref="Scope"/> and dies with it (later use throws
/// <see cref="ObjectDisposedException"/>), or, outside any scope, lives as long as it is referenced.
/// </summary>
/// <remarks>
/// Operations are methods with PyTorch's names (<c>x.MatMul(w)</c>, <c>x.Softmax(-1)</c>); each is implemented in one file of <c>Ops/</c>.
/// A tensor is used by one thread at a time.
/// </remarks>
public sealed partial class Tensor
{
    private readonly TensorBody _body;
    private int _generation;

    internal Tensor(TensorBody body)
    {
        _body = body;
        _generation = body.Generation;
    }

    internal void Renew() => _generation = _body.Generation;

    internal TensorBody Body
    {
        get
        {
            if (_generation != _body.Generation)
            {
                ThrowDead();
            }
            return _body;
        }
    }

    private static void ThrowDead() => throw new ObjectDisposedException(nameof(Tensor),
        "this tensor died with its scope (or was released by a backward pass); copy what must outlive the step with ToArray(), Clone(null) or Keep()");

    /// <summary>False once the tensor's scope has ended.</summary>
    public bool IsAlive => _generation == _body.Generation;

    /// <summary>Sizes of the dimensions.</summary>
    public Shape Shape => Body.Shape;

    /// <summary>Distance in elements between neighbours along each dimension.</summary>
    public Shape Strides => Body.Strides;

    /// <summary>Number of dimensions.</summary>
    public int Rank => Body.Shape.Rank;

    /// <summary>Number of elements.</summary>
    public long Count => Body.Shape.Count;

    /// <summary>Type of the elements.</summary>
    public DType DType => Body.DType;

    /// <summary>Where the elements live.</summary>
    public Device Device => Body.Device;

    /// <summary>The owner, or null for a tensor outside any scope.</summary>
    public Scope? Scope => Body.Scope;

    /// <summary>True when the elements lie in row-major order without gaps.</summary>
    public bool IsContiguous => Body.IsContiguous;

    /// <summary>The threads that compute operations on this tensor.</summary>
    internal ComputePool Pool => Body.Scope?.Pool ?? ComputePool.Current;

    /// <summary>True when gradients flow to (or through) this tensor. Setting it marks a leaf (a parameter).</summary>
    /// <exception cref="InvalidOperationException">Set on a tensor that is not floating-point, or that an operation made.</exception>
    public bool RequiresGrad
    {
        get => Body.RequiresGrad;
        set
        {
            if (value && !DType.IsFloat)
            {
                throw new InvalidOperationException($"only floating-point tensors have gradients; this one is {DType}");
            }
            if (Body.Node >= 0)
            {
                throw new InvalidOperationException("RequiresGrad can be set on leaves only; use Detach() to cut a graph");
            }
            Body.RequiresGrad = value;
        }
    }

    /// <summary>The gradient of a leaf, or null before the first backward pass.</summary>
    public Tensor? Grad
    {
        get => Body.Grad;
        set => Body.Grad = value;
    }

    /// <summary>True when no recorded operation made this tensor.</summary>
    public bool IsLeaf => Body.Node < 0;

    /// <summary>A view without gradient history that shares the elements.</summary>
    public Tensor Detach() => AsView(Body.Shape, Body.Strides, Body.Offset);

    /// <summary>Protects this tensor from a backward pass that releases intermediate values; returns it.</summary>
    public Tensor Keep()
    {
        Body.Kept = true;
        return this;
    }

    /// <summary>Registers a function that sees, and may replace, the gradient that flows to this tensor. For tests and taps.</summary>
    public void RegisterHook(Func<Tensor, Tensor> hook) => Body.Hook += hook;

    /// <summary>Computes the gradients of this tensor with respect to every leaf that requires one, and adds them to <see cref="Grad"/>.</summary>
    /// <param name="gradient">The gradient of this tensor; may be left out for a single element, where it is 1.</param>
    /// <param name="createGraph">True records the backward pass itself, for higher derivatives.</param>
    /// <param name="retainGraph">True keeps the tape for another backward pass.</param>
    /// <exception cref="InvalidOperationException">There is no tape, or no gradient can flow.</exception>
    public void Backward(Tensor? gradient = null, bool createGraph = false, bool retainGraph = false) =>
        TapeOrThrow().Backward(this, gradient, new BackwardOptions { CreateGraph = createGraph, RetainGraph = retainGraph || createGraph });

    internal Tape TapeOrThrow() => Body.Scope?.Tape
        ?? throw new InvalidOperationException("Backward needs a tape: open the scope with RecordGradients = true, and bring leaves in with scope.Use(x)");

    /// <inheritdoc/>
    public override string ToString() => IsAlive ? $"Tensor({Shape}, {DType}{(Device.IsMeta ? ", meta" : "")})" : "Tensor(dead)";
}
