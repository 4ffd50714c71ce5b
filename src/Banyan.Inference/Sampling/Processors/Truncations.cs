namespace Banyan.Inference.Sampling;

/// <summary>Keeps the tokens whose surprise is nearest to the entropy, until they have this probability (Meister et al. 2022, arXiv:2202.00666).</summary>
/// <param name="mass">Probability that is kept.</param>
public sealed class Typical(double mass) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        double[] logProbs = Scores.LogProbs(scores);
        double entropy = Scores.Entropy(logProbs), sum = 0, limit = double.PositiveInfinity;
        double[] distance = [.. logProbs.Select(l => Math.Abs(-l - entropy))];
        foreach (int i in Enumerable.Range(0, distance.Length).OrderBy(i => distance[i]))
        {
            sum += Math.Exp(logProbs[i]);
            limit = distance[i];
            if (sum >= mass)
            {
                break;   // the token that crosses the threshold stays
            }
        }
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = distance[i] > limit ? float.NegativeInfinity : scores[i];
        }
    }
}

/// <summary>Drops tokens below a probability: epsilon, or where <paramref name="adaptive"/> eta = min(epsilon, sqrt(epsilon) e^-entropy) (Hewitt et al. 2022, arXiv:2210.15191).</summary>
/// <param name="epsilon">The probability.</param>
/// <param name="adaptive">Whether it falls where the distribution is flat. Default: false.</param>
public sealed class EpsilonCut(double epsilon, bool adaptive = false) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        double[] logProbs = Scores.LogProbs(scores);
        double limit = Math.Log(adaptive ? Math.Min(epsilon, Math.Sqrt(epsilon) * Math.Exp(-Scores.Entropy(logProbs))) : epsilon);
        Scores.Drop(scores, i => logProbs[i] < limit);
    }
}

/// <summary>Keeps the most probable tokens until their part of the entropy reaches this share of it, among the 100 most probable (Top-H, arXiv:2509.02510).</summary>
/// <param name="share">The share of the entropy.</param>
public sealed class TopH(double share) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        int[] order = Scores.Descending(scores)[..Math.Min(100, scores.Length)];
        float[] top = new float[order.Length];
        for (int i = 0; i < top.Length; i++)
        {
            top[i] = scores[order[i]];
        }
        double[] logProbs = Scores.LogProbs(top);
        double limit = share * Scores.Entropy(logProbs), sum = 0;
        var keep = new HashSet<int>();
        for (int i = 0; i < top.Length; i++)
        {
            sum -= logProbs[i] * Math.Exp(logProbs[i]);
            if (i == 0 || sum <= limit)
            {
                keep.Add(order[i]);
            }
        }
        Scores.Drop(scores, i => !keep.Contains(i));
    }
}

/// <summary>Keeps scores within n standard deviations of the largest (Tang et al. 2024, arXiv:2411.07641).</summary>
/// <param name="n">How many.</param>
public sealed class TopNSigma(double n) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        double mean = 0, square = 0, max = double.NegativeInfinity;
        foreach (float s in scores)
        {
            (mean, max) = (mean + s / scores.Length, Math.Max(max, s));
        }
        foreach (float s in scores)
        {
            square += (s - mean) * (s - mean) / scores.Length;
        }
        double limit = max - n * Math.Sqrt(square);
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = scores[i] < limit ? float.NegativeInfinity : scores[i];
        }
    }
}

/// <summary>XTC: now and then drops all tokens above a probability but the least probable of them, so that the obvious is avoided where there is a choice.</summary>
/// <param name="probability">How often.</param>
/// <param name="threshold">The probability above which tokens are obvious.</param>
/// <param name="seed">Seed of the draws, one for each position. Default: 0.</param>
public sealed class Xtc(double probability, double threshold, long seed = 0) : ILogitsProcessor
{
    private const uint Stream = 0x5347_0002;

    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores) =>
        Apply(scores, probability, threshold, new CounterRandom((ulong)seed, Stream, 0, ids.Length * 2L).NextDouble());

    /// <summary>The rule with its draw given.</summary>
    internal static void Apply(Span<float> scores, double probability, double threshold, double draw)
    {
        if (draw >= probability)
        {
            return;
        }
        double[] logProbs = Scores.LogProbs(scores);
        int[] obvious = [.. Enumerable.Range(0, logProbs.Length).Where(i => Math.Exp(logProbs[i]) >= threshold).OrderByDescending(i => logProbs[i])];
        Scores.Forbid(scores, obvious.SkipLast(1));
    }
}

/// <summary>Tail-free sampling: cuts the sorted probabilities where their curve has become flat.</summary>
/// <param name="z">Share of the curvature that is kept.</param>
public sealed class TailFree(double z) : ILogitsProcessor
{
    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        int[] order = Scores.Descending(scores);
        double[] logProbs = Scores.LogProbs(scores), p = [.. order.Select(i => Math.Exp(logProbs[i]))];
        double[] bend = [.. Enumerable.Range(0, Math.Max(p.Length - 2, 0)).Select(i => Math.Abs((p[i + 1] - p[i + 2]) - (p[i] - p[i + 1])))];
        double total = bend.Sum(), sum = 0;
        var keep = new HashSet<int> { order[0] };
        for (int i = 0; i < bend.Length; i++)
        {
            sum += bend[i] / total;
            if (sum <= z)
            {
                keep.Add(order[i + 1]);
            }
        }
        Scores.Drop(scores, i => !keep.Contains(i));
    }
}
