using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>Whose conventions <see cref="Adafactor"/> follows.</summary>
public enum AdafactorStyle
{
    /// <summary>torch.optim: v is kept above eps1^2, the rate is at most 1 / sqrt(t), weight decay uses the plain learning rate.</summary>
    PyTorch,

    /// <summary>Hugging Face transformers: eps1 is added to every squared gradient, weight decay uses the scaled rate.</summary>
    Transformers,
}

/// <summary>Settings of <see cref="Adafactor"/>; the defaults are torch.optim's.</summary>
public sealed record AdafactorOptions
{
    /// <summary>Default: PyTorch.</summary>
    public AdafactorStyle Style { get; init; }

    /// <summary>Default: 1e-2. Unused with <see cref="RelativeStep"/>.</summary>
    public double LearningRate { get; init; } = 1e-2;

    /// <summary>The new square's share at step t is t^this. Default: -0.8.</summary>
    public double Beta2Decay { get; init; } = -0.8;

    /// <summary>Guards the division by the second moment. Default: float32's epsilon (PyTorch) or 1e-30 (Transformers).</summary>
    public double? Eps1 { get; init; }

    /// <summary>Smallest root mean square of a weight that scales its step. Default: 1e-3.</summary>
    public double Eps2 { get; init; } = 1e-3;

    /// <summary>Largest root mean square of an update. Default: 1.</summary>
    public double ClipThreshold { get; init; } = 1;

    /// <summary>Steps in proportion to the root mean square of the weight. Default: true.</summary>
    public bool ScaleParameter { get; init; } = true;

    /// <summary>The rate is min(1e-2, 1 / sqrt(t)), whatever <see cref="LearningRate"/> says. Default: false.</summary>
    public bool RelativeStep { get; init; }

    /// <summary>With <see cref="RelativeStep"/>: min(1e-6 t, 1 / sqrt(t)). Default: false.</summary>
    public bool WarmupInit { get; init; }

    /// <summary>Decay of an average of updates; null keeps none. Default: null.</summary>
    public double? Beta1 { get; init; }
}

/// <summary>
/// Adafactor (Shazeer and Stern 2018, arXiv:1804.04235): the second moments of a matrix are the product of a row and a column, so that the state
/// is small. u = g / sqrt(row x column / mean(row)); w -= rate max(eps2, rms(w)) u / max(1, rms(u) / threshold). Tensors of more dimensions are
/// stacks of matrices over the last two; vectors keep all moments.
/// </summary>
public sealed class Adafactor : Optimizer
{
    private readonly AdafactorOptions _options;
    private readonly double _eps1;

    /// <summary>An optimizer over groups.</summary>
    public Adafactor(IEnumerable<ParameterGroup> groups, AdafactorOptions? options = null)
        : base(groups)
    {
        _options = options ?? new AdafactorOptions();
        LearningRate = _options.LearningRate;
        _eps1 = _options.Eps1 ?? (IsPyTorch ? Math.Pow(2, -23) : 1e-30);
    }

    /// <inheritdoc/>
    public override bool IsElementwise => false;

    private bool IsPyTorch => _options.Style == AdafactorStyle.PyTorch;

    /// <inheritdoc/>
    protected override void Update(ParameterState p)
    {
        double rate = RateAt(p), scaled = rate;
        if (_options.ScaleParameter)
        {
            scaled *= Math.Max(_options.Eps2, Math.Sqrt(GradientSums.OfSquares(p.Weight) / Math.Max(1, p.Weight.Count)));
        }
        double share = Math.Pow(p.Steps, _options.Beta2Decay);
        AdafactorLoop.Moments moments = Advance(p, share);
        double keep = 1 - p.Group.WeightDecay * (IsPyTorch ? RateOf(p) : scaled);
        Tensor? momentum = _options.Beta1 is null ? null : p.Get("exp_avg");
        AdafactorLoop.Run(p.Weight, p.Gradient, GradientScale, moments, _options.ClipThreshold, keep, scaled, momentum, _options.Beta1 ?? 0);
    }

    private double RateAt(ParameterState p)
    {
        double decaying = 1 / Math.Sqrt(p.Steps);
        if (_options.RelativeStep)
        {
            return p.Group.LrScale * Math.Min(_options.WarmupInit ? 1e-6 * p.Steps : 1e-2, decaying);
        }
        return IsPyTorch ? Math.Min(RateOf(p), decaying) : RateOf(p);
    }

    // The state's names and shapes are those of the library whose style it is.
    private AdafactorLoop.Moments Advance(ParameterState p, double share)
    {
        Shape shape = p.Weight.Shape;
        double addend = IsPyTorch ? 0 : _eps1;
        var moments = new AdafactorLoop.Moments { Floor = IsPyTorch ? _eps1 * _eps1 : 0, MeanFloor = IsPyTorch ? _eps1 : 0 };
        if (shape.Rank >= 2)
        {
            moments.Row = IsPyTorch ? p.Get("row_var", shape.With(-1, 1)) : p.Get("exp_avg_sq_row", shape.Without(-1));
            moments.V = IsPyTorch ? p.Get("col_var", shape.With(-2, 1)) : p.Get("exp_avg_sq_col", shape.Without(-2));
            FactoredMoments.Update(p.Gradient, GradientScale, addend, share, moments.Row, moments.V);
            return moments;
        }
        moments.V = p.Get(IsPyTorch ? "variance" : "exp_avg_sq");
        UpdateLoop.Run(new Squares { Share = (float)share, Addend = (float)addend }, moments.V, null, p.Gradient, GradientScale);
        return moments;
    }

    private struct Squares : IUpdateRule
    {
        public float Share, Addend;

        public static int StateCount => 0;

        public readonly void Update<S, V>(ref V v, V g, ref V a, ref V b, ref V c) where S : struct, ISimd<V> where V : struct =>
            v = S.Fma(S.Sub(S.Fma(g, g, S.Splat(Addend)), v), S.Splat(Share), v);
    }
}
