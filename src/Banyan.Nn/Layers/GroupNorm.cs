namespace Banyan.Nn;

/// <summary>Group normalisation (Wu and He 2018, arXiv:1803.08494) of (N, C, ...). Parameters: <c>weight</c>, <c>bias</c> (C).</summary>
public sealed class GroupNorm : Module
{
    private readonly int _groups;
    private readonly double _eps;

    /// <summary>A norm over groups of channels.</summary>
    /// <param name="groups">A divisor of the channels.</param>
    /// <param name="channels">C.</param>
    /// <param name="eps">Added to the variance. Default: 1e-5.</param>
    /// <param name="affine">Whether there are weight and bias. Default: true.</param>
    public GroupNorm(int groups, long channels, double eps = 1e-5, bool affine = true)
    {
        _groups = groups;
        _eps = eps;
        Weight = affine ? Add("weight", [channels], Initializer.Ones) : null;
        Bias = affine ? Add("bias", [channels], Initializer.Zeros) : null;
    }

    /// <summary>(C), or null.</summary>
    public Parameter? Weight { get; }

    /// <summary>(C), or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>(N, C, ...) to the same.</summary>
    public Tensor Forward(Tensor x, ForwardPass pass) => pass.Visit(this, x.GroupNorm(_groups, Weight?.Value, Bias?.Value, _eps));
}
