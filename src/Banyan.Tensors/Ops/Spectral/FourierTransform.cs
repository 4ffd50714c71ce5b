using Banyan.Autograd;
using Banyan.Cpu;

namespace Banyan.Ops;

/// <summary>
/// y[k] = scale * sum of x[j] e^(-+2 pi i j k / n) over the last dimension of complex numbers (..., n, 2). The matrix is symmetric, so its
/// adjoint turns the exponent's sign: dx is the transform of dy in the other direction with the same scale.
/// </summary>
public sealed class FourierTransform : Op
{
    private readonly bool _inverse;
    private readonly double _scale;

    private FourierTransform(bool inverse, double scale) => (_inverse, _scale) = (inverse, scale);

    /// <inheritdoc/>
    public override string Name => _inverse ? "ifft" : "fft";

    /// <inheritdoc/>
    protected internal override uint SavedInputs => 0;

    /// <inheritdoc/>
    protected internal override uint SavedOutputs => 0;

    /// <summary>The transform of each row of complex numbers (..., n, 2).</summary>
    public static Tensor Apply(Tensor x, bool inverse, double scale)
    {
        DType compute = Promotion.ComputeType(x.DType);
        Tensor dense = Elementwise.Convert(x, compute);
        dense = dense.IsContiguous ? dense : dense.Clone(dense.Scope);
        Tensor y = Tensor.Allocate(x, x.Shape, compute);
        FourierLoop.Run(dense, y, inverse, scale);
        y = Elementwise.Convert(y, x.DType);
        if (Tape.Needs(y.Scope, x))
        {
            y.Scope!.Tape!.Record(new FourierTransform(inverse, scale), [x], y);
        }
        return y;
    }

    /// <inheritdoc/>
    protected internal override void Backward(in BackwardContext c) => c.Grad(0, Apply(c.GradOutput(), !_inverse, _scale));
}
