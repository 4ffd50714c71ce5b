using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101):
/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w = w (1 - lr wd) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).
/// </summary>
public sealed class AdamW : Optimizer
{
    private readonly double _beta1, _beta2, _eps;

    /// <summary>An optimizer over groups; see <see cref="ParameterGroup.DecayMatrices"/>.</summary>
    /// <param name="groups">The parameters.</param>
    /// <param name="learningRate">Default: 1e-3.</param>
    /// <param name="beta1">Decay of the average of gradients. Default: 0.9.</param>
    /// <param name="beta2">Decay of the average of squares. Default: 0.999.</param>
    /// <param name="eps">Default: 1e-8.</param>
    public AdamW(IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8)
        : base(groups)
    {
        LearningRate = learningRate;
        _beta1 = beta1;
        _beta2 = beta2;
        _eps = eps;
    }

    /// <inheritdoc/>
    protected override void Update(string name, Tensor weight, Tensor gradient, ParameterGroup group, double gradientScale)
    {
        double lr = LearningRate * group.LrScale;
        var settings = new AdamWKernel.Settings
        {
            Beta1 = (float)_beta1,
            Beta2 = (float)_beta2,
            Eps = (float)_eps,
            GradScale = (float)gradientScale,
            Decay = (float)(lr * group.WeightDecay),
            StepSize = (float)(lr / (1 - Math.Pow(_beta1, StepCount))),
            RootCorrection2 = (float)Math.Sqrt(1 - Math.Pow(_beta2, StepCount)),
        };
        AdamWKernel.Run(weight, gradient, StateOf(name, "exp_avg", weight), StateOf(name, "exp_avg_sq", weight), settings);
    }
}
