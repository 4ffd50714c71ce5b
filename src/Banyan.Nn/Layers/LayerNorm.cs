namespace Banyan.Nn;

/// <summary>Mean 0 and variance 1 over the last dimension (or several), then weight and bias. Parameters: <c>weight</c> and <c>bias</c> of their shape.</summary>
public sealed class LayerNorm : Norm
{
    private readonly double _eps;

    /// <summary>A norm over rows of <paramref name="width"/>.</summary>
    /// <param name="width">Length of a row.</param>
    /// <param name="eps">Added to the variance. Default: 1e-5.</param>
    /// <param name="bias">Whether there is a bias. Default: true.</param>
    public LayerNorm(long width, double eps = 1e-5, bool bias = true)
        : this(new Shape(width), eps, bias)
    {
    }

    /// <summary>A norm over the last dimensions.</summary>
    /// <param name="shape">Their sizes.</param>
    /// <param name="eps">Added to the variance. Default: 1e-5.</param>
    /// <param name="bias">Whether there is a bias. Default: true.</param>
    public LayerNorm(in Shape shape, double eps = 1e-5, bool bias = true)
    {
        _eps = eps;
        Weight = Add("weight", shape, Initializer.Ones);
        Bias = bias ? Add("bias", shape, Initializer.Zeros) : null;
    }

    /// <summary>(C).</summary>
    public Parameter Weight { get; }

    /// <summary>(C), or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, x.LayerNorm(Weight, Bias?.Value, _eps, Weight.Shape.Rank));
}
