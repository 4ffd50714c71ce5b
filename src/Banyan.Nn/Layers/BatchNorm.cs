namespace Banyan.Nn;

/// <summary>
/// Batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167) of (N, C, ...) per channel: torch.nn's BatchNorm1d, 2d and 3d. A training pass
/// normalises by the batch and moves the running statistics; others normalise by those. Parameters: <c>weight</c>, <c>bias</c> (C); buffers:
/// <c>running_mean</c>, <c>running_var</c> (C), <c>num_batches_tracked</c>.
/// </summary>
public sealed class BatchNorm : Module
{
    private readonly double _eps;
    private readonly double? _momentum;

    /// <summary>A norm over channels.</summary>
    /// <param name="features">C.</param>
    /// <param name="eps">Added to the variance. Default: 1e-5.</param>
    /// <param name="momentum">The batch's share in the running statistics; null: their plain mean over all batches. Default: 0.1.</param>
    /// <param name="affine">Whether there are weight and bias. Default: true.</param>
    public BatchNorm(long features, double eps = 1e-5, double? momentum = 0.1, bool affine = true)
    {
        _eps = eps;
        _momentum = momentum;
        Weight = affine ? Add("weight", [features], Initializer.Ones) : null;
        Bias = affine ? Add("bias", [features], Initializer.Zeros) : null;
        RunningMean = AddBuffer("running_mean", [features], Initializer.Zeros);
        RunningVar = AddBuffer("running_var", [features], Initializer.Ones);
        BatchCount = AddBuffer("num_batches_tracked", [], Initializer.Zeros);
    }

    /// <summary>(C), or null.</summary>
    public Parameter? Weight { get; }

    /// <summary>(C), or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>(C).</summary>
    public Parameter RunningMean { get; }

    /// <summary>(C), unbiased.</summary>
    public Parameter RunningVar { get; }

    /// <summary>Training batches seen.</summary>
    public Parameter BatchCount { get; }

    /// <summary>(N, C, ...) to the same.</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        double momentum = _momentum ?? 0;
        if (pass.Training)
        {
            double count = BatchCount.Value.Item() + 1;
            BatchCount.Value.Fill(count);
            momentum = _momentum ?? 1 / count;
        }
        return pass.Visit(this, x.BatchNorm(RunningMean, RunningVar, Weight?.Value, Bias?.Value, pass.Training, momentum, _eps));
    }
}
