namespace Banyan.Nn;

/// <summary>
/// Keeps small float16 gradients from vanishing (Micikevicius et al. 2018, arXiv:1710.03740): the loss is multiplied by a scale, the gradients
/// divided by it. A step with an infinite or NaN gradient is skipped and lowers the scale; a run of clean steps raises it.
/// </summary>
/// <example><code>
/// scaler.ScaleLoss(loss).Backward();
/// bool stepped = scaler.Step(optimizer, maxNorm: 1);
/// </code></example>
public sealed class GradScaler
{
    private readonly double _growthFactor, _backoffFactor;
    private readonly int _growthInterval;

    /// <summary>A scaler.</summary>
    /// <param name="initScale">First scale. Default: 65536.</param>
    /// <param name="growthFactor">Factor after <paramref name="growthInterval"/> clean steps. Default: 2.</param>
    /// <param name="backoffFactor">Factor after a skipped step. Default: 0.5.</param>
    /// <param name="growthInterval">Default: 2000.</param>
    public GradScaler(double initScale = 65536, double growthFactor = 2, double backoffFactor = 0.5, int growthInterval = 2000)
    {
        Scale = initScale;
        _growthFactor = growthFactor;
        _backoffFactor = backoffFactor;
        _growthInterval = growthInterval;
    }

    /// <summary>The factor on the loss; part of the state.</summary>
    public double Scale { get; set; }

    /// <summary>Clean steps since the scale last changed; part of the state.</summary>
    public int GrowthTracker { get; set; }

    /// <summary>The norm of the last step's gradients, unscaled and before clipping.</summary>
    public double Norm { get; private set; }

    /// <summary>The loss to call Backward on.</summary>
    public Tensor ScaleLoss(Tensor loss) => loss * Scale;

    /// <summary>Unscales and clips the gradients (on the fly: they stay as they are), takes the step unless they overflowed, and adapts the scale.</summary>
    /// <param name="optimizer">Its parameters' gradients belong to the scaled loss.</param>
    /// <param name="maxNorm">Largest norm of all gradients; 0: no clipping. Default: 0.</param>
    /// <returns>False when the step was skipped.</returns>
    public bool Step(Optimizer optimizer, double maxNorm = 0)
    {
        Norm = GradientNorm.Of(optimizer.Groups.SelectMany(g => g.Parameters).Select(p => p.Parameter)) / Scale;
        bool isFinite = double.IsFinite(Norm);
        if (isFinite)
        {
            optimizer.Step(GradientNorm.ClipFactor(Norm, maxNorm) / Scale);
        }
        Adapt(isFinite);
        return isFinite;
    }

    private void Adapt(bool isFinite)
    {
        if (!isFinite)
        {
            Scale *= _backoffFactor;
            GrowthTracker = 0;
        }
        else if (++GrowthTracker == _growthInterval)
        {
            Scale *= _growthFactor;
            GrowthTracker = 0;
        }
    }
}
