namespace Banyan.Inference.Sampling;

/// <summary>A temperature that follows the entropy: min + (max - min) (entropy / ln V)^exponent, as llama.cpp has it.</summary>
/// <param name="minimum">The temperature where one token is certain.</param>
/// <param name="maximum">The temperature where all are equal.</param>
/// <param name="exponent">Shape between. Default: 1.</param>
public sealed class DynamicTemperature(double minimum, double maximum, double exponent = 1) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        double temperature = minimum + (maximum - minimum) * Math.Pow(Scores.Entropy(Scores.LogProbs(scores)) / Math.Log(scores.Length), exponent);
        foreach (ref float s in scores)
        {
            s = (float)(s / temperature);
        }
    }
}

/// <summary>Quadratic smoothing: max - factor (max - score)^2, which spares the good tokens and presses the bad ones down.</summary>
/// <param name="factor">Strength.</param>
public sealed class QuadraticSmoothing(double factor) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        float max = scores[Sampler.ArgMax(scores)];
        foreach (ref float s in scores)
        {
            s = (float)(max - factor * (max - s) * (max - s));
        }
    }
}

/// <summary>Log-probabilities in place of logits.</summary>
public sealed class Normalisation : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        double norm = LogProbs.LogSumExp(scores);
        foreach (ref float s in scores)
        {
            s = (float)(s - norm);
        }
    }
}

/// <summary>Replaces what is no number: NaN by 0, infinities by the largest numbers.</summary>
public sealed class RemoveInvalid : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        foreach (ref float s in scores)
        {
            s = float.IsNaN(s) ? 0 : Math.Clamp(s, float.MinValue, float.MaxValue);
        }
    }
}
