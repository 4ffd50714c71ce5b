namespace Banyan;

public static partial class Loss
{
    /// <summary>
    /// Distillation (Hinton et al. 2015): alpha T^2 KL(softmax(teacher / T) || softmax(student / T)) per row + (1 - alpha) cross entropy.
    /// </summary>
    /// <param name="student">Logits (N, C).</param>
    /// <param name="teacher">Logits (N, C).</param>
    /// <param name="target">Class numbers (N).</param>
    /// <param name="alpha">Weight of the teacher. Default: 0.5.</param>
    /// <param name="temperature">T. Default: 2.</param>
    public static Tensor Distillation(Tensor student, Tensor teacher, Tensor target, double alpha = 0.5, double temperature = 2)
    {
        Tensor soft = KlDiv((student / temperature).LogSoftmax(-1), (teacher / temperature).LogSoftmax(-1), logTarget: true, Reduction.BatchMean);
        return soft * (alpha * temperature * temperature) + CrossEntropy(student, target) * (1 - alpha);
    }

    /// <summary>
    /// The balance loss of a mixture of experts with one expert per token (Fedus et al. 2021, Switch): E sum of f_e P_e, f = the fraction of
    /// tokens that an expert gets (a constant), P = its mean router probability. 1 when balanced.
    /// </summary>
    /// <param name="routerLogits">(tokens, experts).</param>
    public static Tensor SwitchBalance(Tensor routerLogits)
    {
        long tokens = routerLogits.Shape[0], experts = routerLogits.Shape[1];
        (Tensor values, Tensor chosen) = routerLogits.Detach().Max(-1);
        Tensor share = Tensor.Allocate(values, values.Shape), fraction = Tensor.Allocate(values, [experts]);
        share.Fill(1.0 / tokens);
        fraction.Fill(0);
        return (fraction.ScatterAdd(0, chosen, share) * routerLogits.Softmax(-1).Mean(0)).Sum() * experts;
    }
}
