namespace Banyan.Inference.Sampling;

/// <summary>
/// Keeps the surprise of the text near a target (Basu et al. 2021, arXiv:2007.14966): after each token the limit moves by eta times the error. Version 1 estimates how
/// many tokens the limit allows from the slope of the most probable ones, version 2 compares each token's surprise with it. Serves one sequence.
/// </summary>
/// <param name="tau">Target surprise, in bits.</param>
/// <param name="eta">Rate of the correction. Default: 0.1.</param>
/// <param name="version">1 or 2. Default: 2.</param>
/// <param name="estimate">Version 1: how many of the most probable tokens the slope is taken from. Default: 100.</param>
public sealed class Mirostat(double tau, double eta = 0.1, int version = 2, int estimate = 100) : ILogitsProcessor
{
    private double[] _kept = [];   // log2 of the renormalised probabilities of the last step, by token
    private int _length;

    /// <summary>The limit, in bits.</summary>
    public double Mu { get; private set; } = 2 * tau;

    /// <summary>How many tokens the last step kept.</summary>
    internal int Kept { get; private set; }

    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        if (_kept.Length > 0 && ids.Length == _length + 1)
        {
            Observe(ids[^1]);
        }
        _length = ids.Length;
        int[] order = Scores.Descending(scores);
        double[] logProbs = Scores.LogProbs(scores);
        Kept = Math.Clamp(version == 1 ? Count([.. order.Take(estimate).Select(i => logProbs[i])], logProbs.Length) : order.Count(i => -logProbs[i] / Math.Log(2) <= Mu), 1, order.Length);
        double total = order.Take(Kept).Sum(i => Math.Exp(logProbs[i]));
        _kept = new double[logProbs.Length];
        Array.Fill(_kept, double.NegativeInfinity);
        for (int i = 0; i < order.Length; i++)
        {
            if (i < Kept)
            {
                _kept[order[i]] = (logProbs[order[i]] - Math.Log(total)) / Math.Log(2);
            }
            else
            {
                scores[order[i]] = float.NegativeInfinity;
            }
        }
    }

    /// <summary>Moves the limit by the surprise of the token that was chosen.</summary>
    internal double Observe(int id)
    {
        double surprise = -_kept[id];
        Mu -= eta * (surprise - tau);
        return surprise;
    }

    // Zipf's law with the exponent s that fits the most probable tokens: how many of N have a surprise of at most mu.
    private int Count(double[] top, int vocabulary)
    {
        double product = 0, square = 0;
        for (int i = 0; i + 1 < top.Length; i++)
        {
            double t = Math.Log((i + 2.0) / (i + 1));
            (product, square) = (product + t * (top[i] - top[i + 1]), square + t * t);
        }
        double s = product / square, e = s - 1;
        return (int)Math.Min(Math.Pow(e * Math.Pow(2, Mu) / (1 - Math.Pow(vocabulary, -e)), 1 / s), vocabulary);
    }
}
