namespace Banyan.Inference.Sampling;

/// <summary>
/// A rule that changes the scores of the next token before one is chosen: <see cref="GenerationOptions.Processors"/>. In beam search scores are
/// log-probabilities, otherwise logits.
/// </summary>
public interface ILogitsProcessor
{
    /// <summary>Changes the scores.</summary>
    /// <param name="ids">The whole text so far, prompt included.</param>
    /// <param name="scores">(V); negative infinity forbids a token.</param>
    void Apply(ReadOnlySpan<int> ids, Span<float> scores);
}
