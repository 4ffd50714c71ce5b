using System.Runtime.CompilerServices;
using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>
/// Lion (Chen et al. 2023, arXiv:2302.06675): one state tensor, steps of equal size. w = w (1 - lr wd),
/// w -= lr sign(b1 m + (1 - b1) g), m = b2 m + (1 - b2) g, with sign(0) = 0. Its learning rate is 3 to 10 times below AdamW's.
/// </summary>
public sealed class Lion : Optimizer
{
    private readonly double _beta1, _beta2;

    /// <summary>An optimizer over groups.</summary>
    /// <param name="groups">The parameters.</param>
    /// <param name="learningRate">Default: 1e-4.</param>
    /// <param name="beta1">Share of the average in the step's direction. Default: 0.9.</param>
    /// <param name="beta2">Decay of the average. Default: 0.99.</param>
    public Lion(IEnumerable<ParameterGroup> groups, double learningRate = 1e-4, double beta1 = 0.9, double beta2 = 0.99)
        : base(groups)
    {
        LearningRate = learningRate;
        _beta1 = beta1;
        _beta2 = beta2;
    }

    /// <inheritdoc/>
    protected override void Update(ParameterState p)
    {
        double lr = RateOf(p);
        var rule = new Rule
        {
            Beta1 = (float)_beta1,
            Share1 = (float)(1 - _beta1),
            Beta2 = (float)_beta2,
            Share2 = (float)(1 - _beta2),
            Rate = (float)lr,
            Keep = (float)(1 - lr * p.Group.WeightDecay),
        };
        Apply(p, rule, p.Get("exp_avg"));
    }

    private struct Rule : IUpdateRule
    {
        public float Beta1, Share1, Beta2, Share2, Rate, Keep;

        public static int StateCount => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Update<S, V>(ref V w, V g, ref V m, ref V b, ref V c) where S : struct, ISimd<V> where V : struct
        {
            // Two roundings, not one: a fused sum could leave a residue where the two products cancel, and sign(0) matters.
            V u = S.Add(S.Mul(m, S.Splat(Beta1)), S.Mul(g, S.Splat(Share1)));
            V sign = S.Sub(S.And(S.Less(S.Zero, u), S.Splat(1)), S.And(S.Less(u, S.Zero), S.Splat(1)));
            w = S.Fma(S.Splat(-Rate), sign, S.Mul(w, S.Splat(Keep)));
            m = S.Add(S.Mul(m, S.Splat(Beta2)), S.Mul(g, S.Splat(Share2)));
        }
    }
}
