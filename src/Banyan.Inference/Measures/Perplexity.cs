using Banyan.Models;

namespace Banyan.Inference;

/// <summary>How well a model predicts a text.</summary>
/// <param name="Tokens">Tokens that were predicted.</param>
/// <param name="Nll">Their mean negative log-probability, in nats.</param>
/// <param name="NllError">The standard error of that mean.</param>
/// <param name="Running">The perplexity after each chunk.</param>
public sealed record PerplexityResult(long Tokens, double Nll, double NllError, IReadOnlyList<double> Running)
{
    /// <summary>exp of <see cref="Nll"/>.</summary>
    public double Value => Math.Exp(Nll);

    /// <summary>The standard error of <see cref="Value"/>.</summary>
    public double Error => Value * NllError;
}

/// <summary>What a change of a model, such as quantizing it, does to its predictions.</summary>
/// <param name="Changed">The changed model's perplexity.</param>
/// <param name="Original">That of the model before.</param>
/// <param name="MeanKl">The mean over positions of the Kullback-Leibler divergence KL(original || changed), in nats.</param>
/// <param name="MaxKl">The largest.</param>
/// <param name="TopAgreement">The share of positions at which both have the same likeliest token.</param>
public sealed record DivergenceResult(PerplexityResult Changed, PerplexityResult Original, double MeanKl, double MaxKl, double TopAgreement);

/// <summary>Perplexity in the definitions of llama.cpp and of Hugging Face, and the divergence of two models.</summary>
public static class PerplexityMeasure
{
    /// <summary>
    /// As llama.cpp's <c>llama-perplexity</c>: the text is cut into chunks of <paramref name="context"/> tokens (the rest is dropped), the first of each becomes the token that begins
    /// texts, and the second half of each chunk is scored, so that every prediction has at least half a chunk before it.
    /// </summary>
    /// <param name="lm">The model.</param>
    /// <param name="ids">The text; at least a chunk.</param>
    /// <param name="context">Tokens of a chunk. Default: 512.</param>
    /// <param name="beginId">The token that begins texts; null: chunks keep their first.</param>
    /// <param name="chunks">The most chunks; 0: all. Default: 0.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="progress">Told the chunks done and how many there are.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    /// <exception cref="ArgumentException">The text is shorter than a chunk, or a chunk longer than the model's context.</exception>
    /// <exception cref="Banyan.Checkpoints.CheckpointException">The logits are not finite.</exception>
    public static PerplexityResult Perplexity(this LanguageModel lm, IReadOnlyList<int> ids, int context = 512, int? beginId = null, int chunks = 0, ComputePool? pool = null, IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        using var session = new DecodingSession(lm.Model, pool);
        var sum = new Sum();
        foreach (long[] chunk in Chunks(lm, ids, context, beginId, chunks, progress, cancellationToken))
        {
            Score(lm, session, chunk, (_, logits, target) => sum.Add(LogProb(lm, logits, target)));
            sum.EndChunk();
        }
        return sum.Result;
    }

    /// <summary>
    /// As Hugging Face's guide: windows of <paramref name="window"/> tokens that begin every <paramref name="stride"/> tokens; each token is scored once, in the first window that it is
    /// in, except the first of the text.
    /// </summary>
    /// <param name="lm">The model.</param>
    /// <param name="ids">The text; at least two tokens.</param>
    /// <param name="window">Tokens of a window.</param>
    /// <param name="stride">Tokens from one window to the next; at most a window.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Stops between windows.</param>
    /// <exception cref="ArgumentException">Window, stride or text do not fit.</exception>
    /// <exception cref="Banyan.Checkpoints.CheckpointException">The logits are not finite.</exception>
    public static PerplexityResult SlidingPerplexity(this LanguageModel lm, IReadOnlyList<int> ids, int window, int stride, ComputePool? pool = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ids.Count, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(window, lm.Model.MaxPositions);
        ArgumentOutOfRangeException.ThrowIfLessThan(stride, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(stride, window);
        long[] all = [.. ids.Select(id => (long)id)];
        using var session = new DecodingSession(lm.Model, pool);
        var sum = new Sum();
        for (int begin = 0, scored = 0; scored < all.Length; begin += stride)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int start = begin, end = Math.Min(begin + window, all.Length), first = scored;
            session.Each(all.AsSpan(start, end - start), new SequenceCache(window), (i, logits) =>
            {
                if (start + i + 1 < end && start + i + 1 >= first)
                {
                    sum.Add(LogProb(lm, logits, all[start + i + 1]));
                }
            });
            sum.EndChunk();
            scored = end;
        }
        return sum.Result;
    }

    /// <summary>What became of a model's predictions, on the positions that <see cref="Perplexity"/> scores.</summary>
    /// <param name="lm">The changed model.</param>
    /// <param name="original">The model before.</param>
    /// <param name="ids">The text; at least a chunk.</param>
    /// <param name="context">Tokens of a chunk. Default: 512.</param>
    /// <param name="beginId">The token that begins texts; null: chunks keep their first.</param>
    /// <param name="chunks">The most chunks; 0: all. Default: 0.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="progress">Told the chunks done and how many there are.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    /// <exception cref="ArgumentException">The vocabularies differ, the text is shorter than a chunk, or a chunk longer than a model's context.</exception>
    public static DivergenceResult Divergence(this LanguageModel lm, LanguageModel original, IReadOnlyList<int> ids, int context = 512, int? beginId = null, int chunks = 0, ComputePool? pool = null, IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        if (lm.Model.VocabularySize != original.Model.VocabularySize)
        {
            throw new ArgumentException($"vocabularies of {lm.Model.VocabularySize} and {original.Model.VocabularySize} tokens cannot be compared");
        }
        using DecodingSession before = new(original.Model, pool), after = new(lm.Model, pool);
        (Sum own, Sum theirs) = (new(), new());
        (double total, double largest, long same) = (0, 0, 0);
        var rows = new List<float[]>();
        foreach (long[] chunk in Chunks(lm, ids, context, beginId, chunks, progress, cancellationToken))
        {
            rows.Clear();
            Score(original, before, chunk, (_, logits, target) =>
            {
                theirs.Add(LogProb(original, logits, target));
                rows.Add([.. logits]);
            });
            Score(lm, after, chunk, (i, logits, target) =>
            {
                own.Add(LogProb(lm, logits, target));
                double kl = Kl(rows[i], logits);
                (total, largest) = (total + kl, Math.Max(largest, kl));
                same += ArgMax(rows[i]) == ArgMax(logits) ? 1 : 0;
            });
            own.EndChunk();
            theirs.EndChunk();
        }
        return new(own.Result, theirs.Result, total / own.Result.Tokens, largest, (double)same / own.Result.Tokens);
    }

    /// <summary>The token that begins texts, where the model's configuration names one and the text begins with it.</summary>
    public static int? BeginId(this LanguageModel lm, IReadOnlyList<int> ids)
    {
        var config = Checkpoints.ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(lm.Model.ConfigJson), lm.Source);
        return ids.Count > 0 && config.GetLongs("bos_token_id") is [var id, ..] && id == ids[0] ? (int)id : null;
    }

    private static IEnumerable<long[]> Chunks(LanguageModel lm, IReadOnlyList<int> ids, int context, int? beginId, int most, IProgress<(int, int)>? progress, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(context, 4);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(context, lm.Model.MaxPositions);
        int count = most > 0 ? Math.Min(most, ids.Count / context) : ids.Count / context;
        if (count == 0)
        {
            throw new ArgumentException($"the text has {ids.Count} tokens; a chunk has {context}");
        }
        for (int c = 0; c < count; c++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long[] chunk = [.. Enumerable.Range(c * context, context).Select(i => (long)ids[i])];
            chunk[0] = beginId ?? chunk[0];
            yield return chunk;
            progress?.Report((c + 1, count));
        }
    }

    // Each scored position (counted from 0), its logits and the token that comes.
    private static void Score(LanguageModel lm, DecodingSession session, long[] chunk, Action<int, float[], long> row)
    {
        int first = chunk.Length / 2;
        session.Each(chunk, new SequenceCache(chunk.Length), (i, logits) =>
        {
            if (i >= first && i + 1 < chunk.Length)
            {
                row(i - first, logits, chunk[i + 1]);
            }
        });
    }

    private static double LogProb(LanguageModel lm, float[] logits, long target)
    {
        double logProb = logits[target] - Sampling.LogProbs.LogSumExp(logits);
        return double.IsNaN(logProb) ? throw lm.NotFinite() : logProb;
    }

    private static double Kl(float[] p, float[] q)
    {
        double logP = Sampling.LogProbs.LogSumExp(p), logQ = Sampling.LogProbs.LogSumExp(q), sum = 0;
        for (int i = 0; i < p.Length; i++)
        {
            double log = p[i] - logP;
            sum += Math.Exp(log) * (log - (q[i] - logQ));
        }
        return sum;
    }

    private static int ArgMax(float[] logits) => Array.IndexOf(logits, logits.Max());

    private sealed class Sum
    {
        private readonly List<double> _running = [];
        private double _nll, _squares;
        private long _count;

        public PerplexityResult Result
        {
            get
            {
                double mean = _nll / _count, variance = Math.Max(0, _squares / _count - mean * mean);
                return new(_count, mean, _count > 1 ? Math.Sqrt(variance / (_count - 1)) : double.NaN, [.. _running]);
            }
        }

        public void Add(double logProb) => (_nll, _squares, _count) = (_nll - logProb, _squares + logProb * logProb, _count + 1);

        public void EndChunk() => _running.Add(Math.Exp(_nll / _count));
    }
}
