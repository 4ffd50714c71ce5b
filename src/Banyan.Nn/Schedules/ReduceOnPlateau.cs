namespace Banyan.Nn;

/// <summary>
/// Lowers the rate when a metric stops improving: torch's ReduceLROnPlateau. The one schedule with a state: save <see cref="Rate"/>,
/// <see cref="Best"/>, <see cref="BadCount"/> and <see cref="Cooldown"/>.
/// </summary>
public sealed class ReduceOnPlateau
{
    private readonly bool _maximize, _isAbsolute;
    private readonly double _factor, _threshold, _minRate;
    private readonly int _patience, _cooldown;

    /// <summary>A schedule that starts at <paramref name="rate"/>.</summary>
    /// <param name="rate">First rate.</param>
    /// <param name="maximize">True when a larger metric is better. Default: false.</param>
    /// <param name="factor">Of each reduction. Default: 0.1.</param>
    /// <param name="patience">Reports without improvement that are tolerated. Default: 10.</param>
    /// <param name="threshold">Least improvement that counts. Default: 1e-4.</param>
    /// <param name="isAbsolute">The threshold is absolute, not a share of the best metric. Default: false.</param>
    /// <param name="cooldown">Reports after a reduction that do not count. Default: 0.</param>
    /// <param name="minRate">Smallest rate. Default: 0.</param>
    public ReduceOnPlateau(double rate, bool maximize = false, double factor = 0.1, int patience = 10, double threshold = 1e-4, bool isAbsolute = false, int cooldown = 0, double minRate = 0)
    {
        Rate = rate;
        _maximize = maximize;
        _factor = factor;
        _patience = patience;
        _threshold = threshold;
        _isAbsolute = isAbsolute;
        _cooldown = cooldown;
        _minRate = minRate;
        Best = maximize ? double.NegativeInfinity : double.PositiveInfinity;
    }

    /// <summary>The learning rate.</summary>
    public double Rate { get; set; }

    /// <summary>The best metric so far.</summary>
    public double Best { get; set; }

    /// <summary>Reports since then.</summary>
    public int BadCount { get; set; }

    /// <summary>Reports that will not count.</summary>
    public int Cooldown { get; set; }

    /// <summary>Reports a metric; returns the rate from now on.</summary>
    public double Report(double metric)
    {
        if (IsBetter(metric))
        {
            (Best, BadCount) = (metric, 0);
        }
        else
        {
            BadCount++;
        }
        if (Cooldown > 0)
        {
            Cooldown--;
            BadCount = 0;
        }
        if (BadCount > _patience)
        {
            Lower();
        }
        return Rate;
    }

    private void Lower()
    {
        double lower = Math.Max(Rate * _factor, _minRate);
        Rate = Rate - lower > 1e-8 ? lower : Rate;   // torch's eps: smaller changes are left out
        (Cooldown, BadCount) = (_cooldown, 0);
    }

    private bool IsBetter(double metric)
    {
        double margin = _isAbsolute ? _threshold : double.IsFinite(Best) ? _threshold * Best : 0;
        return _maximize ? metric > Best + margin : metric < Best - margin;
    }
}
