using Banyan.Cpu;
using Banyan.Inference.Sampling;
using Banyan.Models;

namespace Banyan.Inference;

/// <summary>
/// Diverse beam search (Vijayakumar et al. 2016, arXiv:1610.02424): groups of beams that choose one after another, and each token costs a group what the groups before
/// took it for at this place. The score of a text carries these costs.
/// </summary>
public static class DiverseBeamSearch
{
    /// <summary>All beams, group by group, each with the best first; every text has the full length or ends before it.</summary>
    /// <param name="lm">The model.</param>
    /// <param name="prompt">The tokens before; at least one.</param>
    /// <param name="maxNewTokens">The most tokens.</param>
    /// <param name="groups">Number of groups.</param>
    /// <param name="beams">Beams of a group.</param>
    /// <param name="penalty">Cost of a token for each time that another group took it.</param>
    /// <param name="processors">Rules that change log-probabilities; null: none.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Ends the search between two tokens.</param>
    public static IReadOnlyList<Beam> Search(LanguageModel lm, IReadOnlyList<int> prompt, int maxNewTokens, int groups, int beams, double penalty,
        IReadOnlyList<ILogitsProcessor>? processors = null, ComputePool? pool = null, CancellationToken cancellationToken = default)
    {
        if (prompt.Count == 0)
        {
            throw new ArgumentException("the prompt has no tokens; give at least one (a begin-of-text token)", nameof(prompt));
        }
        using var session = new DecodingSession(lm.Model, pool);
        int v = lm.Model.VocabularySize;
        var logits = new float[beams * v];
        List<(int[] Ids, double Score, SequenceCache Cache)>[] all = [.. Enumerable.Range(0, groups).Select(_ => new List<(int[], double, SequenceCache)> { ([], 0, new SequenceCache()) })];
        bool Ended(int[] ids) => ids.Length > 0 && lm.EndIds.Contains(ids[^1]);
        for (int step = 0; step < maxNewTokens; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var taken = new Dictionary<int, int>();
            for (int g = 0; g < groups; g++)
            {
                List<(int[] Ids, double Score, SequenceCache Cache)> open = [.. all[g].Where(b => !Ended(b.Ids))], next = [.. all[g].Where(b => Ended(b.Ids))];
                if (open.Count > 0)
                {
                    long[] ids = [.. step == 0 ? prompt.Select(id => (long)id) : open.Select(b => (long)b.Ids[^1])];
                    int[] lengths = [.. open.Select(_ => step == 0 ? prompt.Count : 1)];
                    session.Last(ids, lengths, [.. open.Select(b => b.Cache)], logits.AsSpan(0, open.Count * v));
                }
                var candidates = new List<(int Beam, int Id, double Score)>();
                for (int b = 0; b < open.Count; b++)
                {
                    float[] row = logits[(b * v)..((b + 1) * v)];
                    double norm = LogProbs.LogSumExp(row);
                    row = [.. row.Select(z => (float)(z - norm))];
                    foreach (ILogitsProcessor rule in processors ?? [])
                    {
                        rule.Apply([.. prompt, .. open[b].Ids], row);
                    }
                    candidates.AddRange(row.Select((z, id) => (b, id, open[b].Score + z - penalty * taken.GetValueOrDefault(id))));
                }
                foreach ((int beam, int id, double score) in candidates.OrderByDescending(c => c.Score).Take(beams))
                {
                    next.Add(([.. open[beam].Ids, id], score, open[beam].Cache.Fork()));
                }
                all[g] = [.. next.OrderByDescending(b => b.Score).Take(beams)];
                foreach ((int[] ids, _, _) in all[g].Where(b => b.Ids.Length == step + 1))
                {
                    taken[ids[^1]] = taken.GetValueOrDefault(ids[^1]) + 1;
                }
            }
        }
        return [.. all.SelectMany(g => g.Select(b => new Beam(b.Ids, b.Score)))];
    }
}
