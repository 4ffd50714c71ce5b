namespace Banyan.Inference.Sampling;

/// <summary>What several rules compute of scores.</summary>
internal static class Scores
{
    /// <summary>Natural log-probabilities.</summary>
    public static double[] LogProbs(ReadOnlySpan<float> scores)
    {
        var logProbs = new double[scores.Length];
        double norm = Sampling.LogProbs.LogSumExp(scores);
        for (int i = 0; i < logProbs.Length; i++)
        {
            logProbs[i] = scores[i] - norm;
        }
        return logProbs;
    }

    /// <summary>In nats; impossible tokens count nothing.</summary>
    public static double Entropy(double[] logProbs) => -logProbs.Where(l => !double.IsNegativeInfinity(l)).Sum(l => l * Math.Exp(l));

    /// <summary>The indices by falling score; of equals the smaller index first.</summary>
    public static int[] Descending(ReadOnlySpan<float> scores)
    {
        float[] copy = scores.ToArray();
        int[] order = [.. Enumerable.Range(0, copy.Length)];
        Array.Sort(order, (a, b) => copy[a] == copy[b] ? a.CompareTo(b) : copy[b].CompareTo(copy[a]));
        return order;
    }

    /// <summary>Forbids tokens.</summary>
    public static void Forbid(Span<float> scores, IEnumerable<int> ids)
    {
        foreach (int id in ids)
        {
            scores[id] = float.NegativeInfinity;
        }
    }

    /// <summary>Forbids all but these, which get the score 0.</summary>
    public static void Force(Span<float> scores, IEnumerable<int> ids)
    {
        scores.Fill(float.NegativeInfinity);
        foreach (int id in ids)
        {
            scores[id] = 0;
        }
    }

    /// <summary>Forbids the tokens for which <paramref name="drop"/> says so, the most probable one excepted.</summary>
    public static void Drop(Span<float> scores, Func<int, bool> drop)
    {
        int best = Sampler.ArgMax(scores);
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = i != best && drop(i) ? float.NegativeInfinity : scores[i];
        }
    }
}
