using Banyan.Cpu;
using Banyan.Inference.Sampling;
using Banyan.Models;

namespace Banyan.Inference;

/// <summary>How probable a text is under a model.</summary>
/// <param name="Ids">The tokens.</param>
/// <param name="LogProbs">Natural log-probability of each token from the second on, given those before it.</param>
public sealed record TextScore(IReadOnlyList<int> Ids, IReadOnlyList<double> LogProbs)
{
    /// <summary>The mean negative log-probability per predicted token, in nats; NaN where nothing is predicted.</summary>
    public double Nll => LogProbs.Count == 0 ? double.NaN : -LogProbs.Sum() / LogProbs.Count;

    /// <summary>exp of <see cref="Nll"/>.</summary>
    public double Perplexity => Math.Exp(Nll);
}

/// <summary>Scores texts.</summary>
public static class TextScoring
{
    /// <summary>Scores a text, or its windows where it is longer than the model's context.</summary>
    /// <param name="lm">The model.</param>
    /// <param name="ids">The tokens; at least two.</param>
    /// <param name="window">The longest context in tokens; 0: the model's. Longer texts are read in windows that overlap by half, so that each token keeps at least half a window before it.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Stops between windows.</param>
    /// <exception cref="ArgumentException">An id lies outside the vocabulary.</exception>
    /// <exception cref="Banyan.Checkpoints.CheckpointException">The logits are not finite; the message names the tensor that is damaged.</exception>
    public static TextScore Score(this LanguageModel lm, IReadOnlyList<int> ids, int window = 0, ComputePool? pool = null, CancellationToken cancellationToken = default)
    {
        window = window == 0 ? lm.Model.MaxPositions : window;
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(window, lm.Model.MaxPositions);
        var logProbs = new List<double>(ids.Count);
        using var session = new DecodingSession(lm.Model, pool);
        long[] all = [.. ids.Select(id => (long)id)];
        for (int start = 0; logProbs.Count + 1 < all.Length; start += window - (window / 2))
        {
            cancellationToken.ThrowIfCancellationRequested();
            int begin = start;
            session.Each(all.AsSpan(start, Math.Min(window, all.Length - start)), new SequenceCache(window), (i, logits) =>
            {
                int next = begin + i + 1;
                if (next < all.Length && next == logProbs.Count + 1)
                {
                    double logProb = logits[all[next]] - Sampling.LogProbs.LogSumExp(logits);
                    logProbs.Add(double.IsNaN(logProb) ? throw lm.NotFinite() : logProb);
                }
            });
        }
        return new TextScore([.. ids], logProbs);
    }
}
