namespace Banyan.Nn;

/// <summary>
/// Instance normalisation (Ulyanov et al. 2016, arXiv:1607.08022) of (N, C, ...): every channel of every sample by itself, or in evaluation by
/// running statistics where they are tracked. Parameters: <c>weight</c>, <c>bias</c> (C); buffers as <see cref="BatchNorm"/>'s.
/// </summary>
public sealed class InstanceNorm : Module
{
    private readonly double _eps, _momentum;

    /// <summary>A norm over the positions of each channel.</summary>
    /// <param name="features">C.</param>
    /// <param name="eps">Added to the variance. Default: 1e-5.</param>
    /// <param name="momentum">The batch's share in the running statistics. Default: 0.1.</param>
    /// <param name="affine">Whether there are weight and bias. Default: false.</param>
    /// <param name="trackRunningStats">Whether there are running statistics. Default: false.</param>
    public InstanceNorm(long features, double eps = 1e-5, double momentum = 0.1, bool affine = false, bool trackRunningStats = false)
    {
        _eps = eps;
        _momentum = momentum;
        Weight = affine ? Add("weight", [features], Initializer.Ones) : null;
        Bias = affine ? Add("bias", [features], Initializer.Zeros) : null;
        if (trackRunningStats)
        {
            RunningMean = AddBuffer("running_mean", [features], Initializer.Zeros);
            RunningVar = AddBuffer("running_var", [features], Initializer.Ones);
            AddBuffer("num_batches_tracked", [], Initializer.Zeros);   // PyTorch saves it and never counts
        }
    }

    /// <summary>(C), or null.</summary>
    public Parameter? Weight { get; }

    /// <summary>(C), or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>(C), or null.</summary>
    public Parameter? RunningMean { get; }

    /// <summary>(C), the mean of the instances' unbiased variances; or null.</summary>
    public Parameter? RunningVar { get; }

    /// <summary>(N, C, ...) to the same.</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        if (RunningMean is null || RunningVar is null)
        {
            return pass.Visit(this, x.InstanceNorm(Weight?.Value, Bias?.Value, _eps));
        }
        if (!pass.Training)
        {
            return pass.Visit(this, x.BatchNorm(RunningMean, RunningVar, Weight?.Value, Bias?.Value, training: false, eps: _eps));
        }
        Track(x.Detach(), RunningMean, RunningVar);
        return pass.Visit(this, x.InstanceNorm(Weight?.Value, Bias?.Value, _eps));
    }

    private void Track(Tensor x, Tensor mean, Tensor variance)
    {
        Tensor rows = x.Reshape(x.Shape[0], x.Shape[1], -1), mu = rows.Mean(2, keepDim: true), centred = rows - mu;
        Tensor batchVariance = ((centred * centred).Sum(2) / Math.Max(1, rows.Shape[2] - 1)).Mean(0);
        mean.CopyFrom(mean.Detach() * (1 - _momentum) + mu.Squeeze(2).Mean(0) * _momentum);
        variance.CopyFrom(variance.Detach() * (1 - _momentum) + batchVariance * _momentum);
    }
}
