namespace Banyan;

public static partial class Loss
{
    /// <summary>Kullback-Leibler divergence of the target from the input: t (log t - x); where t is 0 it is 0.</summary>
    /// <param name="input">Log-probabilities.</param>
    /// <param name="target">Probabilities, or log-probabilities.</param>
    /// <param name="logTarget">The target holds log-probabilities. Default: false.</param>
    /// <param name="reduction">Mean divides by the number of elements; the divergence per row is <see cref="Reduction.BatchMean"/>.</param>
    public static Tensor KlDiv(Tensor input, Tensor target, bool logTarget = false, Reduction reduction = Reduction.Mean)
    {
        if (logTarget)
        {
            return Reduce(target.Exp() * (target - input), reduction);
        }
        Tensor positive = target.MaskedFill(target <= 0, 1);
        return Reduce(target * positive.Log() - target * input, reduction);
    }

    /// <summary>The entropy of softmax(x) over one dimension, in nats.</summary>
    public static Tensor Entropy(Tensor logits, int dim = -1)
    {
        Tensor logp = logits.LogSoftmax(dim), p = logp.Exp();
        // p log p is 0 where p is 0.
        return -(p * logp.MaskedFill(logp.Detach().Eq(double.NegativeInfinity), 0)).Sum(dim);
    }
}
