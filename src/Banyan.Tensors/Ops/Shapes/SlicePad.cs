using Banyan.Autograd;

namespace Banyan.Ops;

/// <summary>The adjoint of a slice: x placed into zeros of a larger shape. dx is the slice of dy.</summary>
public sealed class SlicePad : Op
{
    private readonly int _dim;
    private readonly long _start, _length, _step;

    private SlicePad(int dim, long start, long length, long step)
    {
        _dim = dim;
        _start = start;
        _length = length;
        _step = step;
    }

    /// <inheritdoc/>
    public override string Name => "slice_pad";

    /// <inheritdoc/>
    protected internal override uint SavedInputs => 0;

    /// <inheritdoc/>
    protected internal override uint SavedOutputs => 0;

    /// <summary>Zeros of <paramref name="shape"/> with x at start, start + step, ... of one dimension.</summary>
    public static Tensor Apply(Tensor x, in Shape shape, int dim, long start, long step = 1)
    {
        Tensor y = Tensor.Allocate(x, shape);
        y.Fill(0);
        long length = x.Shape[dim];
        y.AsView(x.Shape, y.Strides.With(dim, y.Strides[dim] * step), y.Body.Offset + start * y.Strides[dim]).CopyFrom(x);
        if (Tape.Needs(y.Scope, x))
        {
            y.Scope!.Tape!.Record(new SlicePad(dim, start, length, step), [x], y);
        }
        return y;
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c) => c.Grad(0, View.Slice(c.GradOutput(), _dim, _start, _length, _step));
}
