namespace Banyan.Inference.Sampling;

/// <summary>Decides which tokens of a draft may stay so that the text is distributed as the target's own (Leviathan et al. 2023, arXiv:2211.17192).</summary>
public static class Speculation
{
    /// <summary>Token i of the draft stays while its draw is at most p_i / q_i; the first that does not is drawn anew from max(p - q, 0).</summary>
    /// <param name="draft">q: the draft's probabilities (V) at each of its tokens.</param>
    /// <param name="target">p: the target's probabilities (V) at each of them, and at one more.</param>
    /// <param name="ids">The draft's tokens.</param>
    /// <param name="draws">A number in [0, 1) for each token.</param>
    /// <returns>How many tokens stay, and the distribution of the next one.</returns>
    public static (int Accepted, double[] Next) Verify(IReadOnlyList<double[]> draft, IReadOnlyList<double[]> target, IReadOnlyList<int> ids, IReadOnlyList<double> draws)
    {
        if (draft.Count != ids.Count || target.Count != ids.Count + 1 || draws.Count != ids.Count)
        {
            throw new ArgumentException($"{ids.Count} drafted tokens need as many distributions of the draft and draws, and one more of the target; given {draft.Count}, {draws.Count}, {target.Count}");
        }
        int n = 0;
        while (n < ids.Count && draws[n] <= target[n][ids[n]] / draft[n][ids[n]])
        {
            n++;
        }
        if (n == ids.Count)
        {
            return (n, target[n]);
        }
        double[] rest = [.. target[n].Zip(draft[n], (p, q) => Math.Max(p - q, 0))];
        double total = rest.Sum();
        return (n, total > 0 ? [.. rest.Select(r => r / total)] : target[n]);
    }
}
