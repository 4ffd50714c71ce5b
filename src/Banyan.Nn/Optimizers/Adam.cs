using System.Runtime.CompilerServices;
using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>
/// Adam (Kingma and Ba 2015, arXiv:1412.6980). Weight decay is L2: it is added to the gradient (see <see cref="AdamW"/> for the decoupled form).
/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w -= lr / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps).
/// AMSGrad (Reddi et al. 2018) divides by the largest v so far.
/// </summary>
public class Adam : Optimizer
{
    private readonly double _beta2, _eps;
    private readonly bool _amsGrad;

    /// <summary>An optimizer over groups; see <see cref="ParameterGroup.DecayMatrices"/>.</summary>
    /// <param name="groups">The parameters.</param>
    /// <param name="learningRate">Default: 1e-3.</param>
    /// <param name="beta1">Decay of the average of gradients. Default: 0.9.</param>
    /// <param name="beta2">Decay of the average of squares. Default: 0.999.</param>
    /// <param name="eps">Default: 1e-8.</param>
    /// <param name="amsGrad">Divide by the largest average of squares so far. Default: false.</param>
    public Adam(IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, bool amsGrad = false)
        : base(groups)
    {
        LearningRate = learningRate;
        Beta1 = beta1;
        _beta2 = beta2;
        _eps = eps;
        _amsGrad = amsGrad;
    }

    /// <summary>Decay of the average of gradients; one-cycle schedules move it.</summary>
    public double Beta1 { get; set; }

    private protected virtual bool IsDecoupled => false;

    /// <inheritdoc/>
    protected override void Update(ParameterState p)
    {
        Rule rule = RuleFor(p, RateOf(p), Beta1, _beta2, _eps, IsDecoupled);
        Tensor m = p.Get("exp_avg"), v = p.Get("exp_avg_sq");
        if (_amsGrad)
        {
            Apply(p, new AmsRule { Adam = rule }, m, v, p.Get("max_exp_avg_sq"));
            return;
        }
        Apply(p, rule, m, v);
    }

    /// <summary>Adam's rule for one parameter's step; decoupled: AdamW's.</summary>
    internal static Rule RuleFor(ParameterState p, double lr, double beta1, double beta2, double eps, bool decoupled) => new()
    {
        // 1 - beta is rounded from double: 1 - 0.999f would be wrong in its fifth digit.
        Lerp1 = (float)(1 - beta1),
        Beta2 = (float)beta2,
        Lerp2 = (float)(1 - beta2),
        Eps = (float)eps,
        L2 = decoupled ? 0 : (float)p.Group.WeightDecay,
        Keep = decoupled ? (float)(1 - lr * p.Group.WeightDecay) : 1,
        StepSize = (float)(lr / (1 - Math.Pow(beta1, p.Steps))),
        RootScale2 = (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, p.Steps))),
    };

    internal struct Rule : IUpdateRule
    {
        public float Lerp1, Beta2, Lerp2, Eps, L2, Keep, StepSize, RootScale2;

        public static int StateCount => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Update<S, V>(ref V w, V g, ref V m, ref V v, ref V none) where S : struct, ISimd<V> where V : struct
        {
            Average<S, V>(w, g, ref m, ref v);
            Step<S, V>(ref w, m, v);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Average<S, V>(V w, V g, ref V m, ref V v) where S : struct, ISimd<V> where V : struct
        {
            g = S.Fma(w, S.Splat(L2), g);
            m = S.Fma(S.Sub(g, m), S.Splat(Lerp1), m);
            v = S.Fma(S.Mul(g, g), S.Splat(Lerp2), S.Mul(v, S.Splat(Beta2)));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Step<S, V>(ref V w, V m, V v) where S : struct, ISimd<V> where V : struct
        {
            V denominator = S.Fma(S.Sqrt(v), S.Splat(RootScale2), S.Splat(Eps));
            w = S.Sub(S.Mul(w, S.Splat(Keep)), S.Mul(S.Splat(StepSize), S.Div(m, denominator)));
        }
    }

    private struct AmsRule : IUpdateRule
    {
        public Rule Adam;

        public static int StateCount => 3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Update<S, V>(ref V w, V g, ref V m, ref V v, ref V largest) where S : struct, ISimd<V> where V : struct
        {
            Adam.Average<S, V>(w, g, ref m, ref v);
            largest = S.Max(largest, v);
            Adam.Step<S, V>(ref w, m, largest);
        }
    }
}
