namespace Banyan;

public static partial class Loss
{
    /// <summary>
    /// Focal loss of logits (Lin et al. 2017, RetinaNet): a_t (1 - p_t)^gamma times the binary cross entropy, p_t = the probability of the
    /// target, a_t = alpha for 1 and 1 - alpha for 0.
    /// </summary>
    /// <param name="input">Logits.</param>
    /// <param name="target">0 or 1.</param>
    /// <param name="alpha">Weight of positive targets. Default: 0.25.</param>
    /// <param name="gamma">How much easy examples count less. Default: 2.</param>
    /// <param name="reduction">Mean divides by the number of elements.</param>
    public static Tensor SigmoidFocal(Tensor input, Tensor target, double alpha = 0.25, double gamma = 2, Reduction reduction = Reduction.Mean)
    {
        Tensor p = input.Sigmoid(), wrong = p + target - p * target * 2;
        Tensor balance = target * (2 * alpha - 1) + (1 - alpha);
        return Reduce(balance * wrong.Pow(gamma) * BinaryCrossEntropyWithLogits(input, target, reduction: Reduction.None), reduction);
    }

    /// <summary>Focal loss of classes: (1 - p_t)^gamma times the cross entropy.</summary>
    /// <param name="input">Logits (N, C).</param>
    /// <param name="target">Class numbers (N).</param>
    /// <param name="gamma">How much easy examples count less. Default: 2.</param>
    /// <param name="reduction">Mean divides by the number of rows.</param>
    public static Tensor Focal(Tensor input, Tensor target, double gamma = 2, Reduction reduction = Reduction.Mean)
    {
        Tensor entropy = CrossEntropy(input, target, reduction: Reduction.None);
        return Reduce((1 - (-entropy).Exp()).Pow(gamma) * entropy, reduction);
    }

    /// <summary>1 - (2 sum(p t) + smooth) / (sum p + sum t + smooth) over all elements, p = sigmoid(x) (Milletari et al. 2016).</summary>
    /// <param name="input">Logits.</param>
    /// <param name="target">0 or 1.</param>
    /// <param name="smooth">Default: 1.</param>
    public static Tensor Dice(Tensor input, Tensor target, double smooth = 1)
    {
        Tensor p = input.Sigmoid();
        return 1 - ((p * target).Sum() * 2 + smooth) / (p.Sum() + target.Sum() + smooth);
    }
}
