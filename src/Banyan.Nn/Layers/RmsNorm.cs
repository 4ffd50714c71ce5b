namespace Banyan.Nn;

/// <summary>y = x / sqrt(mean(x^2) + eps) * weight over the last dimension. Parameter: <c>weight</c> (C).</summary>
public sealed class RmsNorm : Norm
{
    private readonly double _eps, _offset;

    /// <summary>A norm over rows of <paramref name="width"/>.</summary>
    /// <param name="width">Length of a row.</param>
    /// <param name="eps">Added to the mean square. Default: 1e-6.</param>
    /// <param name="weightOffset">Added to the weight; Gemma stores weight - 1 and takes 1. Default: 0.</param>
    public RmsNorm(long width, double eps = 1e-6, double weightOffset = 0)
    {
        _eps = eps;
        _offset = weightOffset;
        Weight = Add("weight", [width], Initializer.Constant(1 - weightOffset));
    }

    /// <summary>(C).</summary>
    public Parameter Weight { get; }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, x.RmsNorm(Weight, _eps, weightOffset: _offset));
}
