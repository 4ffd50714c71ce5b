namespace Banyan.Inference.Sampling;

/// <summary>Adds to the score of the token that would complete one of some sequences; negative infinity forbids it, which makes bad words of them.</summary>
/// <param name="biases">Sequences, each of at least one token, and what is added.</param>
public sealed class SequenceBias(IReadOnlyList<(IReadOnlyList<int> Ids, double Bias)> biases) : ILogitsProcessor
{
    /// <summary>Sequences that must not appear.</summary>
    public static SequenceBias BadWords(IEnumerable<IReadOnlyList<int>> words) => new([.. words.Select(w => (w, double.NegativeInfinity))]);

    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        foreach ((IReadOnlyList<int> sequence, double bias) in biases)
        {
            int before = sequence.Count - 1;
            if (before < ids.Length && ids[^before..].SequenceEqual([.. sequence.Take(before)]))
            {
                scores[sequence[before]] += (float)bias;
            }
        }
    }
}
