namespace Banyan.Inference.Sampling;

/// <summary>Natural log-probabilities of a row of logits, summed in float64.</summary>
internal static class LogProbs
{
    /// <summary>log of the sum of exp(logits).</summary>
    public static double LogSumExp(ReadOnlySpan<float> logits)
    {
        double max = double.NegativeInfinity;
        foreach (float z in logits)
        {
            max = Math.Max(max, z);
        }
        double sum = 0;
        foreach (float z in logits)
        {
            sum += Math.Exp(z - max);
        }
        return max + Math.Log(sum);
    }

    /// <summary>The n most probable tokens, the most probable first; of equal ones the smaller id.</summary>
    public static (int Id, double LogProb)[] Top(ReadOnlySpan<float> logits, double logSumExp, int n)
    {
        if (n == 0)
        {
            return [];
        }
        var best = new PriorityQueue<int, (float, int)>(n + 1);
        for (int id = 0; id < logits.Length; id++)
        {
            best.Enqueue(id, (logits[id], -id));
            if (best.Count > n)
            {
                best.Dequeue();
            }
        }
        var top = new (int, double)[best.Count];
        for (int i = top.Length - 1; i >= 0; i--)
        {
            int id = best.Dequeue();
            top[i] = (id, logits[id] - logSumExp);
        }
        return top;
    }
}
