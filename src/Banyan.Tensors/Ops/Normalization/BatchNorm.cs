namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>
    /// Batch normalisation (Ioffe and Szegedy 2015) of this (N, C, ...) per channel. In training the batch's mean and biased variance
    /// normalise, and the running ones move in place: new = (1 - momentum) * old + momentum * batch, with the unbiased variance.
    /// </summary>
    /// <param name="runningMean">(C), read in evaluation, updated in training.</param>
    /// <param name="runningVar">(C), read in evaluation, updated in training.</param>
    /// <param name="weight">(C), or null.</param>
    /// <param name="bias">(C), or null.</param>
    /// <param name="training">Normalise by the batch. Default: false.</param>
    /// <param name="momentum">The weight of the batch in the running numbers. Default: 0.1.</param>
    /// <param name="eps">Added to the variance. Default: 1e-5.</param>
    public Tensor BatchNorm(
        Tensor runningMean, Tensor runningVar, Tensor? weight = null, Tensor? bias = null, bool training = false, double momentum = 0.1, double eps = 1e-5)
    {
        if (Rank < 2 || runningMean.Count != Shape[1] || runningVar.Count != Shape[1])
        {
            throw new ArgumentException($"batch_norm: {Shape} has its channels in dimension 1, the running mean is {runningMean.Shape}, the variance {runningVar.Shape}");
        }
        if (!training)
        {
            Tensor rstd = (runningVar.Detach() + eps).Rsqrt();
            return ScaleChannels(rstd, -(runningMean.Detach() * rstd)).ScaleChannels(weight, bias);
        }
        Tensor channelsFirst = Transpose(0, 1);
        Tensor rows = channelsFirst.Reshape(Shape[1], -1);                               // (C, N * ...)
        UpdateRunning(rows.Detach(), runningMean, runningVar, momentum);
        Tensor y = rows.LayerNorm(eps: eps).Reshape(channelsFirst.Shape).Transpose(0, 1);
        return y.ScaleChannels(weight, bias);
    }

    private static void UpdateRunning(Tensor rows, Tensor runningMean, Tensor runningVar, double momentum)
    {
        long n = rows.Shape[1];
        Tensor mean = rows.Mean(1, keepDim: true), centred = rows - mean;
        Tensor variance = (centred * centred).Sum(1) / Math.Max(n - 1, 1);
        runningMean.CopyFrom(runningMean.Detach() * (1 - momentum) + mean.Squeeze(1) * momentum);
        runningVar.CopyFrom(runningVar.Detach() * (1 - momentum) + variance * momentum);
    }
}
