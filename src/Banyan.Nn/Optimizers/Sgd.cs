using System.Runtime.CompilerServices;
using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>
/// Stochastic gradient descent with momentum (Polyak 1964; Nesterov's form as Sutskever et al. 2013). Weight decay is L2: g += wd w.
/// u = momentum u + (1 - dampening) g, but the first u = g; w -= lr u, or with Nesterov w -= lr (g + momentum u).
/// </summary>
public sealed class Sgd : Optimizer
{
    private readonly double _dampening;
    private readonly bool _nesterov;

    /// <summary>An optimizer over groups.</summary>
    /// <param name="groups">The parameters.</param>
    /// <param name="learningRate">Default: 1e-3.</param>
    /// <param name="momentum">Default: 0, which keeps no state.</param>
    /// <param name="dampening">Default: 0.</param>
    /// <param name="nesterov">Default: false.</param>
    /// <exception cref="ArgumentException">Nesterov without momentum, or with dampening.</exception>
    public Sgd(IEnumerable<ParameterGroup> groups, double learningRate = 1e-3, double momentum = 0, double dampening = 0, bool nesterov = false)
        : base(groups)
    {
        if (nesterov && (momentum <= 0 || dampening != 0))
        {
            throw new ArgumentException($"SGD: Nesterov's momentum needs momentum > 0 and dampening 0; given {momentum} and {dampening}");
        }
        LearningRate = learningRate;
        Momentum = momentum;
        _dampening = dampening;
        _nesterov = nesterov;
    }

    /// <summary>Decay of the velocity; one-cycle schedules move it.</summary>
    public double Momentum { get; set; }

    /// <inheritdoc/>
    protected override void Update(ParameterState p)
    {
        var plain = new Plain { Rate = (float)RateOf(p), L2 = (float)p.Group.WeightDecay };
        if (Momentum == 0)
        {
            Apply(p, plain);
            return;
        }
        var rule = new WithMomentum
        {
            Plain = plain,
            Momentum = (float)Momentum,
            Share = p.Steps == 1 ? 1 : (float)(1 - _dampening),   // the first buffer is the whole gradient
            Nesterov = _nesterov,
        };
        Apply(p, rule, p.Get("momentum_buffer"));
    }

    private struct Plain : IUpdateRule
    {
        public float Rate, L2;

        public static int StateCount => 0;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Update<S, V>(ref V w, V g, ref V a, ref V b, ref V c) where S : struct, ISimd<V> where V : struct =>
            w = S.Fma(S.Splat(-Rate), S.Fma(w, S.Splat(L2), g), w);
    }

    private struct WithMomentum : IUpdateRule
    {
        public Plain Plain;
        public float Momentum, Share;
        public bool Nesterov;

        public static int StateCount => 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Update<S, V>(ref V w, V g, ref V u, ref V b, ref V c) where S : struct, ISimd<V> where V : struct
        {
            g = S.Fma(w, S.Splat(Plain.L2), g);
            u = S.Fma(g, S.Splat(Share), S.Mul(u, S.Splat(Momentum)));
            w = S.Fma(S.Splat(-Plain.Rate), Nesterov ? S.Fma(u, S.Splat(Momentum), g) : u, w);
        }
    }
}
