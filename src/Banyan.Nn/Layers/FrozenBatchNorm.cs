namespace Banyan.Nn;

/// <summary>
/// Batch normalisation by statistics that never change, without parameters to train: that of backbones in detectors, whose batches are too small for statistics of their own. Buffers:
/// <c>weight</c>, <c>bias</c>, <c>running_mean</c>, <c>running_var</c> (C).
/// </summary>
public sealed class FrozenBatchNorm : Module
{
    private readonly Parameter _weight, _bias, _mean, _variance;
    private readonly double _eps;

    /// <summary>A norm over channels.</summary>
    /// <param name="features">C.</param>
    /// <param name="eps">Added to the variance. Default: 1e-5.</param>
    public FrozenBatchNorm(long features, double eps = 1e-5)
    {
        _eps = eps;
        (_weight, _bias) = (AddBuffer("weight", [features], Initializer.Ones), AddBuffer("bias", [features], Initializer.Zeros));
        (_mean, _variance) = (AddBuffer("running_mean", [features], Initializer.Zeros), AddBuffer("running_var", [features], Initializer.Ones));
    }

    /// <summary>(N, C, ...) to the same.</summary>
    public Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, x.BatchNorm(_mean, _variance, _weight.Value, _bias.Value, training: false, 0, _eps));
}
