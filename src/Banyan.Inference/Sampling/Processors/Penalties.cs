namespace Banyan.Inference.Sampling;

/// <summary>Divides positive and multiplies negative scores of tokens that occurred in a given text (Keskar et al. 2019, arXiv:1909.05858).</summary>
/// <param name="penalty">Above 1 makes repetition less probable.</param>
/// <param name="ignored">How many tokens at the start do not count: the prompt, say. Default: 0.</param>
/// <param name="source">The tokens that count; null: those of the text. An encoder's input with 1 / penalty makes its words more probable.</param>
public sealed class RepetitionPenalty(double penalty, int ignored = 0, IReadOnlyList<int>? source = null) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        foreach (int id in source is null ? new HashSet<int>(ids[Math.Min(ignored, ids.Length)..].ToArray()) : [.. source])
        {
            scores[id] = (float)(scores[id] > 0 ? scores[id] / penalty : scores[id] * penalty);
        }
    }
}

/// <summary>
/// DRY: a token that would go on with something said before loses multiplier * base^(m - allowed), where m is the length of the run that it would prolong
/// and at least <paramref name="allowedLength"/>.
/// </summary>
/// <param name="multiplier">Strength.</param>
/// <param name="growth">Base of the growth with the run's length. Default: 1.75.</param>
/// <param name="allowedLength">Shorter runs are free. Default: 2.</param>
/// <param name="breakers">Tokens at which runs end and which are never penalised.</param>
/// <param name="lastTokens">How much of the text counts; 0: all. Default: 0.</param>
public sealed class DryPenalty(double multiplier, double growth = 1.75, int allowedLength = 2, IReadOnlyCollection<int>? breakers = null, int lastTokens = 0) : ILogitsProcessor
{
    private const int LongestRun = 50;

    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        ReadOnlySpan<int> text = lastTokens > 0 && lastTokens < ids.Length ? ids[^lastTokens..] : ids;
        var longest = new Dictionary<int, int>();
        for (int next = 1; next < text.Length; next++)
        {
            int run = 0;
            while (run < LongestRun && next - 1 - run >= 0 && text[next - 1 - run] == text[^(run + 1)] && breakers?.Contains(text[^(run + 1)]) != true)
            {
                run++;
            }
            if (run >= allowedLength && breakers?.Contains(text[next]) != true)
            {
                longest[text[next]] = Math.Max(run, longest.GetValueOrDefault(text[next]));
            }
        }
        foreach ((int id, int run) in longest)
        {
            scores[id] -= (float)(multiplier * Math.Pow(growth, run - allowedLength));
        }
    }
}
