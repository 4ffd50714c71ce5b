using System.Runtime.CompilerServices;
using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>
/// Schedule-free AdamW (Defazio et al. 2024, arXiv:2405.15682): no learning rate schedule, no horizon. Training sees y, evaluation the average x:
/// call <see cref="Eval"/> before evaluating or saving the model, <see cref="Train"/> before going on. z is the plain iterate;
/// u = g / (sqrt(v / (1 - b2^t)) + eps) + wd y; y = y + c (z - y) + lr (b1 (1 - c) - 1) u; z -= lr u; c is this step's share in the average.
/// </summary>
public sealed class ScheduleFreeAdamW : Optimizer
{
    private readonly double _beta1, _beta2, _eps, _r, _weightPower;
    private readonly long _warmup;
    private double _rate, _share;

    /// <summary>An optimizer over groups.</summary>
    /// <param name="groups">The parameters.</param>
    /// <param name="learningRate">Default: 2.5e-3.</param>
    /// <param name="beta1">Where y lies between z and x. Default: 0.9.</param>
    /// <param name="beta2">Decay of the average of squares. Default: 0.999.</param>
    /// <param name="eps">Default: 1e-8.</param>
    /// <param name="warmup">Steps over which the rate grows linearly. Default: 0.</param>
    /// <param name="r">Power of the step in its weight in the average. Default: 0.</param>
    /// <param name="weightPower">Power of the largest rate in the weight. Default: 2.</param>
    public ScheduleFreeAdamW(IEnumerable<ParameterGroup> groups, double learningRate = 2.5e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8, long warmup = 0, double r = 0, double weightPower = 2)
        : base(groups)
    {
        LearningRate = learningRate;
        _beta1 = beta1;
        _beta2 = beta2;
        _eps = eps;
        _warmup = warmup;
        _r = r;
        _weightPower = weightPower;
    }

    /// <summary>True while the parameters hold x (see <see cref="Eval"/>).</summary>
    public bool IsEvaluating => GetNumber("evaluating") != 0;

    /// <summary>Puts the average x into the parameters.</summary>
    public void Eval() => Exchange(evaluate: true, 1 - 1 / _beta1);

    /// <summary>Puts the training point y back into the parameters.</summary>
    public void Train() => Exchange(evaluate: false, 1 - _beta1);

    private void Exchange(bool evaluate, double share)
    {
        if (IsEvaluating == evaluate)
        {
            return;
        }
        SetNumber("evaluating", evaluate ? 1 : 0);
        foreach (ParameterState p in Parameters)
        {
            if (p.Has("z"))
            {
                p.BeginWeight(Shard);
                Apply(p, new Lerp { Share = (float)share }, p.Get("z"), 1);
                p.End(round: false);
            }
        }
    }

    /// <inheritdoc/>
    protected override void BeginStep()
    {
        if (IsEvaluating)
        {
            throw new InvalidOperationException("schedule-free AdamW: the parameters hold the average; call Train() before the forward pass of a training step");
        }
        double warm = StepCount < _warmup ? (double)StepCount / _warmup : 1;
        _rate = LearningRate * warm;
        double largest = Math.Max(GetNumber("lr_max", -1), _rate);
        double weight = Math.Pow(StepCount, _r) * Math.Pow(largest, _weightPower), sum = GetNumber("weight_sum") + weight;
        _share = sum == 0 ? 0 : weight / sum;
        SetNumber("lr_max", largest);
        SetNumber("weight_sum", sum);
    }

    /// <inheritdoc/>
    protected override void Update(ParameterState p)
    {
        if (!p.Has("z"))
        {
            p.Get("z").CopyFrom(p.Weight);
        }
        double lr = _rate * p.Group.LrScale;
        var rule = new Rule
        {
            Beta2 = (float)_beta2,
            Lerp2 = (float)(1 - _beta2),
            RootScale2 = (float)(1 / Math.Sqrt(1 - Math.Pow(_beta2, StepCount))),
            Eps = (float)_eps,
            Decay = (float)p.Group.WeightDecay,
            Share = (float)_share,
            YStep = (float)(lr * (_beta1 * (1 - _share) - 1)),
            ZStep = (float)-lr,
        };
        Apply(p, rule, p.Get("z"), p.Get("exp_avg_sq"));
    }

    private struct Rule : IUpdateRule
    {
        public float Beta2, Lerp2, RootScale2, Eps, Decay, Share, YStep, ZStep;

        public static int StateCount => 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Update<S, V>(ref V y, V g, ref V z, ref V v, ref V none) where S : struct, ISimd<V> where V : struct
        {
            v = S.Fma(S.Mul(g, g), S.Splat(Lerp2), S.Mul(v, S.Splat(Beta2)));
            V u = S.Fma(y, S.Splat(Decay), S.Div(g, S.Fma(S.Sqrt(v), S.Splat(RootScale2), S.Splat(Eps))));
            y = S.Fma(u, S.Splat(YStep), S.Fma(S.Sub(z, y), S.Splat(Share), y));
            z = S.Fma(u, S.Splat(ZStep), z);
        }
    }
}
