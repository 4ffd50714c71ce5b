namespace Banyan.Inference.Sampling;

/// <summary>Forbids tokens, always or at one length only.</summary>
/// <param name="forbidden">The tokens.</param>
/// <param name="atLength">The length of the text, prompt included, at which they are forbidden; null: at every length.</param>
public sealed class SuppressTokens(IReadOnlyList<int> forbidden, int? atLength = null) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        if (atLength is null || ids.Length == atLength)
        {
            Scores.Forbid(scores, forbidden);
        }
    }
}

/// <summary>Allows only the tokens that a function of the text so far names.</summary>
/// <param name="allowed">From the text to the tokens that may follow.</param>
public sealed class PrefixConstraint(Func<int[], IReadOnlyCollection<int>> allowed) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        HashSet<int> may = [.. allowed(ids.ToArray())];
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = may.Contains(i) ? scores[i] : float.NegativeInfinity;
        }
    }
}

/// <summary>Adds to the scores of some tokens, which leaves a mark that statistics find (Kirchenbauer et al. 2023, arXiv:2301.10226).</summary>
/// <param name="green">From the text to the tokens of the green list.</param>
/// <param name="bias">What is added.</param>
public sealed class Watermark(Func<int[], IReadOnlyCollection<int>> green, double bias = 2) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        foreach (int id in green(ids.ToArray()))
        {
            scores[id] += (float)bias;
        }
    }
}
