namespace Banyan.Nn;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101): w = w (1 - lr wd), then Adam's step:
/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w -= lr / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps).
/// </summary>
public sealed class AdamW : Adam
{
    /// <summary>An optimizer over groups; see <see cref="ParameterGroup.DecayMatrices"/>.</summary>
    /// <param name="groups">The parameters.</param>
    /// <param name="learningRate">Default: 1e-3.</param>
    /// <param name="beta1">Decay of the average of gradients. Default: 0.9.</param>
    /// <param name="beta2">Decay of the average of squares. Default: 0.999.</param>
    /// <param name="eps">Default: 1e-8.</param>
    /// <param name="amsGrad">Divide by the largest average of squares so far. Default: false.</param>
    public AdamW(IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, bool amsGrad = false)
        : base(groups, learningRate, beta1, beta2, eps, amsGrad)
    {
    }

    private protected override bool IsDecoupled => true;
}
