namespace Banyan.Nn;

/// <summary>Mean 0 and variance 1 over the last dimension, then weight and bias. Parameters: <c>weight</c> (C), <c>bias</c> (C).</summary>
public sealed class LayerNorm : Module
{
    private readonly double _eps;

    /// <summary>A norm over rows of <paramref name="width"/>.</summary>
    /// <param name="width">Length of a row.</param>
    /// <param name="eps">Added to the variance. Default: 1e-5.</param>
    /// <param name="bias">Whether there is a bias. Default: true.</param>
    public LayerNorm(long width, double eps = 1e-5, bool bias = true)
    {
        _eps = eps;
        Weight = Add("weight", [width], Initializer.Ones);
        Bias = bias ? Add("bias", [width], Initializer.Zeros) : null;
    }

    /// <summary>(C).</summary>
    public Parameter Weight { get; }

    /// <summary>(C), or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>(..., C) to (..., C).</summary>
    public Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, x.LayerNorm(Weight, Bias?.Value, _eps));
}
