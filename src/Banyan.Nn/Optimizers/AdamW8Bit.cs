using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>
/// AdamW with both moments in 8 bits (Dettmers et al. 2022, arXiv:2110.02861): 2 bytes of state per weight instead of 8. State as
/// bitsandbytes names it: <c>state1</c>, <c>state2</c> (codes), <c>absmax1</c>, <c>absmax2</c> (one scale per 256 elements). Weight decay follows
/// the step: w = (w - step) (1 - lr wd).
/// </summary>
public sealed class AdamW8Bit : Optimizer
{
    private readonly double _beta1, _beta2, _eps;
    private readonly long _minCount;

    /// <summary>An optimizer over groups.</summary>
    /// <param name="groups">The parameters.</param>
    /// <param name="learningRate">Default: 1e-3.</param>
    /// <param name="beta1">Decay of the average of gradients. Default: 0.9.</param>
    /// <param name="beta2">Decay of the average of squares. Default: 0.999.</param>
    /// <param name="eps">Default: 1e-8.</param>
    /// <param name="minCount">Smaller parameters keep their moments in float32, as <see cref="AdamW"/>'s. Default: 4096.</param>
    public AdamW8Bit(IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, long minCount = 4096)
        : base(groups)
    {
        LearningRate = learningRate;
        _beta1 = beta1;
        _beta2 = beta2;
        _eps = eps;
        _minCount = minCount;
    }

    /// <inheritdoc/>
    public override bool IsElementwise => false;

    /// <inheritdoc/>
    protected override void Update(ParameterState p)
    {
        double lr = RateOf(p);
        if (p.Weight.Count < _minCount)
        {
            Apply(p, Adam.RuleFor(p, lr, _beta1, _beta2, _eps, decoupled: true), p.Get("exp_avg"), p.Get("exp_avg_sq"));
            return;
        }
        double root2 = Math.Sqrt(1 - Math.Pow(_beta2, p.Steps));
        var settings = new AdamW8BitLoop.Settings
        {
            Beta1 = (float)_beta1,
            Share1 = (float)(1 - _beta1),
            Beta2 = (float)_beta2,
            Share2 = (float)(1 - _beta2),
            Eps = (float)(_eps * root2),
            StepSize = (float)(lr * root2 / (1 - Math.Pow(_beta1, p.Steps))),
            Keep = (float)(1 - lr * p.Group.WeightDecay),
            GradientScale = (float)GradientScale,
        };
        Shape scales = [(p.Weight.Count + AdamW8BitLoop.Block - 1) / AdamW8BitLoop.Block];
        AdamW8BitLoop.Run(p.Weight, p.Gradient, Codes(p, "state1"), p.Get("absmax1", scales), Codes(p, "state2"), p.Get("absmax2", scales), settings);
    }

    // Scales start at 0, so that any code means 0.
    private static Tensor Codes(ParameterState p, string what) => p.Get(what, dtype: DType.UInt8);
}
