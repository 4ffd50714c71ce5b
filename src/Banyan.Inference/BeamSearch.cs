using Banyan.Cpu;
using Banyan.Inference.Sampling;
using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Inference;

/// <summary>When a beam search ends before the longest length.</summary>
public enum EarlyStopping
{
    /// <summary>When no running beam can beat the finished ones at its present length.</summary>
    Estimated,

    /// <summary>As soon as there are as many finished beams as are asked for.</summary>
    AtOnce,

    /// <summary>When no running beam can beat them at any length.</summary>
    Never,
}

/// <summary>How beams are searched.</summary>
public sealed record BeamOptions
{
    /// <summary>Beams that are kept; 1 is greedy. Default: 4.</summary>
    public int Beams { get; init; } = 4;

    /// <summary>The most tokens to generate. Default: 128.</summary>
    public int MaxNewTokens { get; init; } = 128;

    /// <summary>A beam's score is the sum of its log-probabilities over its length to this power: above 0 favours long ones. Default: 1.</summary>
    public double LengthPenalty { get; init; } = 1;

    /// <summary>When the search ends. Default: by an estimate.</summary>
    public EarlyStopping EarlyStopping { get; init; }

    /// <summary>Rules that change log-probabilities. Default: none.</summary>
    public IReadOnlyList<ILogitsProcessor> Processors { get; init; } = [];

    internal BeamOptions Validated() => Beams < 1 ? throw new ArgumentException($"Beams is {Beams}; expected at least 1", nameof(Beams))
        : MaxNewTokens < 1 ? throw new ArgumentException($"MaxNewTokens is {MaxNewTokens}; expected at least 1", nameof(MaxNewTokens)) : this;
}

/// <summary>A text that a beam search found.</summary>
/// <param name="Ids">The new tokens, the one that ends the text included.</param>
/// <param name="Score">Sum of log-probabilities over the length to the length penalty.</param>
public sealed record Beam(IReadOnlyList<int> Ids, double Score);

/// <summary>
/// Beam search: of all continuations of the best texts so far the best are kept (Graves 2012, arXiv:1211.3711), with the rules of transformers for ends and
/// lengths. Each prompt is searched by itself; its beams run as one batch whose caches are copied where beams part.
/// </summary>
public static class BeamSearch
{
    /// <summary>The best continuations of a prompt, the best first.</summary>
    /// <param name="lm">A decoder-only model.</param>
    /// <param name="prompt">The tokens before; at least one.</param>
    /// <param name="options">The rules; null: the defaults.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Ends the search between two tokens.</param>
    public static IReadOnlyList<Beam> Search(LanguageModel lm, IReadOnlyList<int> prompt, BeamOptions? options = null, ComputePool? pool = null, CancellationToken cancellationToken = default) =>
        Search(lm.Model, null, prompt, lm.EndIds, options ?? new(), pool, cancellationToken);

    /// <summary>The best targets of a source, the best first.</summary>
    /// <param name="model">A decoder, or an encoder-decoder.</param>
    /// <param name="source">The encoded source of an encoder-decoder: one sequence; null for a decoder.</param>
    /// <param name="prompt">The tokens before: those of the prompt, or the decoder's start.</param>
    /// <param name="endIds">The tokens that end a text.</param>
    /// <param name="options">The rules.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Ends the search between two tokens.</param>
    public static IReadOnlyList<Beam> Search(DecoderModel model, Func<ForwardPass, EncodedSource>? source, IReadOnlyList<int> prompt, IReadOnlyList<int> endIds, BeamOptions options,
        ComputePool? pool = null, CancellationToken cancellationToken = default)
    {
        if (prompt.Count == 0)
        {
            throw new ArgumentException("the prompt has no tokens; give at least one (a begin-of-text token)", nameof(prompt));
        }
        using var session = new DecodingSession(model, pool);
        var search = new Run(model, prompt, endIds, options.Validated());
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            search.Step(session, source);
            source = null;   // from here on the caches remember it
        }
        while (search.IsOpen);
        return search.Finished;
    }

    private sealed record Hypothesis(int[] Ids, double Score, SequenceCache Cache);

    private sealed class Run(DecoderModel model, IReadOnlyList<int> prompt, IReadOnlyList<int> endIds, BeamOptions o)
    {
        private List<Hypothesis> _running = [new([.. prompt], 0, new SequenceCache(prompt.Count + o.MaxNewTokens))];
        private int _length;         // new tokens so far
        private bool _canImprove = true;

        public List<Beam> Finished { get; private set; } = [];

        public bool IsOpen { get; private set; } = true;

        public void Step(DecodingSession session, Func<ForwardPass, EncodedSource>? source)
        {
            float[] scores = Scores(session, source);
            int v = model.VocabularySize, wanted = Math.Max(2, 1 + endIds.Count) * o.Beams;
            var best = new PriorityQueue<int, (double, int)>();   // the worst of the kept comes out first
            for (int i = 0; i < scores.Length; i++)
            {
                best.Enqueue(i, (_running[i / v].Score + scores[i], -i));
                if (best.Count > wanted)
                {
                    best.Dequeue();
                }
            }
            var candidates = new (int Beam, int Id, double Score, bool Ends)[best.Count];
            for (int i = candidates.Length - 1; i >= 0; i--)
            {
                int flat = best.Dequeue();
                candidates[i] = (flat / v, flat % v, _running[flat / v].Score + scores[flat], endIds.Contains(flat % v) || _length + 1 == o.MaxNewTokens);
            }
            Finish(candidates);
            Continue([.. candidates.Where(c => !c.Ends).Take(o.Beams)]);
            _length++;
            bool isFull = Finished.Count == o.Beams;
            double length = o.EarlyStopping == EarlyStopping.Never && o.LengthPenalty > 0 ? o.MaxNewTokens : _length;
            _canImprove &= !isFull || (_running.Count > 0 && _running[0].Score / Math.Pow(length, o.LengthPenalty) > Finished[^1].Score);
            IsOpen = _canImprove && !(isFull && o.EarlyStopping == EarlyStopping.AtOnce) && _running.Count > 0 && _length < o.MaxNewTokens;
        }

        // Log-probabilities of all beams, one after another, after the rules.
        private float[] Scores(DecodingSession session, Func<ForwardPass, EncodedSource>? source)
        {
            int v = model.VocabularySize;
            var scores = new float[_running.Count * v];
            int[] unseen = [.. _running.Select(h => (int)(h.Ids.Length - h.Cache.Length))];
            long[] ids = [.. _running.SelectMany((h, i) => h.Ids[^unseen[i]..].Select(id => (long)id))];
            session.Last(ids, unseen, [.. _running.Select(h => h.Cache)], scores, source);
            for (int i = 0; i < _running.Count; i++)
            {
                Span<float> row = scores.AsSpan(i * v, v);
                double norm = LogProbs.LogSumExp(row);
                foreach (ref float s in row)
                {
                    s = (float)(s - norm);
                }
                foreach (ILogitsProcessor rule in o.Processors)
                {
                    rule.Apply(_running[i].Ids, row);
                }
            }
            return scores;
        }

        // Only ends among the best candidates count: a worse one was no hypothesis yet.
        private void Finish((int Beam, int Id, double Score, bool Ends)[] candidates)
        {
            if (!_canImprove || (Finished.Count == o.Beams && o.EarlyStopping == EarlyStopping.AtOnce))
            {
                return;
            }
            foreach ((int beam, int id, double score, bool ends) in candidates.Take(o.Beams))
            {
                if (ends)
                {
                    Finished.Add(new Beam([.. _running[beam].Ids[prompt.Count..], id], score / Math.Pow(_length + 1, o.LengthPenalty)));
                }
            }
            Finished = [.. Finished.OrderByDescending(b => b.Score).Take(o.Beams)];
        }

        private void Continue((int Beam, int Id, double Score, bool Ends)[] chosen)
        {
            var taken = new HashSet<int>();
            // A beam that goes on in two ways leaves its cache to the first and a copy to the other.
            SequenceCache[] caches = [.. chosen.Select(c => taken.Add(c.Beam) ? _running[c.Beam].Cache : _running[c.Beam].Cache.Fork())];
            _running = [.. chosen.Select((c, i) => new Hypothesis([.. _running[c.Beam].Ids, c.Id], c.Score, caches[i]))];
        }
    }
}
