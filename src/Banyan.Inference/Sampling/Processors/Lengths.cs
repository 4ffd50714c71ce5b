namespace Banyan.Inference.Sampling;

/// <summary>Forbids the end before the text has <paramref name="length"/> tokens, prompt included.</summary>
/// <param name="length">The least length. For at least n new tokens: the prompt's length + n.</param>
/// <param name="endIds">The tokens that end a text.</param>
public sealed class MinLength(int length, IReadOnlyList<int> endIds) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        if (ids.Length < length)
        {
            Scores.Forbid(scores, endIds);
        }
    }
}

/// <summary>Makes the text end with token number <paramref name="length"/>.</summary>
/// <param name="length">The full length, prompt included.</param>
/// <param name="endIds">The tokens that end a text.</param>
public sealed class ForcedEnd(int length, IReadOnlyList<int> endIds) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        if (ids.Length == length - 1)
        {
            Scores.Force(scores, endIds);
        }
    }
}

/// <summary>Makes the second token of a text (the first behind the decoder's start) the given one: the language of a translation.</summary>
/// <param name="id">The token.</param>
public sealed class ForcedBegin(int id) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        if (ids.Length == 1)
        {
            Scores.Force(scores, [id]);
        }
    }
}

/// <summary>Makes the end more probable with every token behind <paramref name="start"/>: its score grows by |score| (factor^n - 1).</summary>
/// <param name="start">Length, prompt included, from which on it grows.</param>
/// <param name="factor">Above 1.</param>
/// <param name="endIds">The tokens that end a text.</param>
public sealed class ExponentialDecayLength(int start, double factor, IReadOnlyList<int> endIds) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        if (ids.Length > start)
        {
            foreach (int id in endIds)
            {
                scores[id] += (float)(Math.Abs(scores[id]) * (Math.Pow(factor, ids.Length - start) - 1));
            }
        }
    }
}
