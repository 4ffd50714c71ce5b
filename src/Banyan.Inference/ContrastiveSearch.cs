using Banyan.Cpu;
using Banyan.Inference.Sampling;
using Banyan.Models;

namespace Banyan.Inference;

/// <summary>
/// Contrastive search (Su et al. 2022, arXiv:2202.06417): of the k most probable tokens the one with the largest (1 - alpha) p - alpha max cos, where the cosine is
/// that of its hidden state with those of all tokens before.
/// </summary>
public static class ContrastiveSearch
{
    /// <summary>The continuation, without the prompt; ends behind the token that ends a text.</summary>
    /// <param name="lm">The model.</param>
    /// <param name="prompt">The tokens before; at least one.</param>
    /// <param name="maxNewTokens">The most tokens.</param>
    /// <param name="k">Candidates at each place. Default: 4.</param>
    /// <param name="alpha">How much repetition counts. Default: 0.6.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Ends the text between two tokens.</param>
    public static IReadOnlyList<int> Generate(LanguageModel lm, IReadOnlyList<int> prompt, int maxNewTokens, int k = 4, double alpha = 0.6, ComputePool? pool = null, CancellationToken cancellationToken = default)
    {
        if (prompt.Count == 0)
        {
            throw new ArgumentException("the prompt has no tokens; give at least one (a begin-of-text token)", nameof(prompt));
        }
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        using var session = new DecodingSession(lm.Model, pool);
        int v = lm.Model.VocabularySize;
        var cache = new SequenceCache();
        var logits = new float[v];
        List<double[]> states = [.. Units(session.LastWithHidden([.. prompt.Select(id => (long)id)], [prompt.Count], [cache], logits), prompt.Count)];
        var text = new List<int>();
        while (text.Count < maxNewTokens && !(text.Count > 0 && lm.EndIds.Contains(text[^1])))
        {
            cancellationToken.ThrowIfCancellationRequested();
            double norm = LogProbs.LogSumExp(logits);
            (int Id, double LogProb)[] top = LogProbs.Top(logits, norm, Math.Min(k, v));
            SequenceCache[] caches = [.. top.Select(_ => cache.Fork())];
            var next = new float[top.Length * v];
            double[][] candidates = Units(session.LastWithHidden([.. top.Select(t => (long)t.Id)], [.. top.Select(_ => 1)], caches, next), top.Length);
            double[] scores = [.. top.Select((t, i) => (1 - alpha) * Math.Exp(t.LogProb) - alpha * states.Max(s => s.Zip(candidates[i], (a, b) => a * b).Sum()))];
            int best = Array.IndexOf(scores, scores.Max());
            text.Add(top[best].Id);
            states.Add(candidates[best]);
            (cache, logits) = (caches[best], next[(best * v)..((best + 1) * v)]);
        }
        return text;
    }

    private static double[][] Units(float[] hidden, int rows)
    {
        int width = hidden.Length / rows;
        return [.. Enumerable.Range(0, rows).Select(r =>
        {
            double[] row = [.. hidden.Skip(r * width).Take(width).Select(x => (double)x)];
            double length = Math.Sqrt(row.Sum(x => x * x));
            return row.Select(x => x / length).ToArray();
        })];
    }
}
