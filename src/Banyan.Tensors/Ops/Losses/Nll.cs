namespace Banyan;

public static partial class Loss
{
    /// <summary>Negative log likelihood: -input[target], times the class's weight.</summary>
    /// <param name="input">Log-probabilities (N, C), (N, C, ...) or (C).</param>
    /// <param name="target">Class numbers: the input's shape without C.</param>
    /// <param name="weight">A weight per class (C), or null.</param>
    /// <param name="ignoreIndex">Class number that does not count. Default: -100.</param>
    /// <param name="reduction">Mean divides by the weights of the counted targets.</param>
    public static Tensor Nll(Tensor input, Tensor target, Tensor? weight = null, long ignoreIndex = -100, Reduction reduction = Reduction.Mean)
    {
        Ops.ClassTargets.Check("nll", input, target, weight);
        var targets = new Ops.ClassTargets(target, weight, ignoreIndex, input.DType);
        Tensor picked = Ops.ClassTargets.Rows(input).Gather(-1, targets.Index);
        Tensor loss = -(picked * targets.Weight).MaskedFill(targets.IsIgnored, 0);
        return Reduce(loss, targets, target.Shape, reduction);
    }
}
