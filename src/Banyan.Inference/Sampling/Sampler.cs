namespace Banyan.Inference.Sampling;

/// <summary>
/// Chooses the next token from logits: penalties, temperature, top-k, top-p, min-p in the order of transformers, then one draw from
/// counter-based random numbers. One sampler serves one sequence; it keeps its buffers.
/// </summary>
public sealed class Sampler
{
    private const uint Stream = 0x5347_0001;

    private readonly GenerationOptions _options;
    private readonly ulong _completion;
    private readonly Dictionary<int, int> _generated = [];
    private readonly HashSet<int> _seen = [];
    private readonly List<int> _text = [];   // the whole text, where a processor wants it
    private float[] _scores = [], _sorted = [];
    private int[] _order = [];
    private Comparison<int>? _largestFirst;   // of _sorted; made once

    /// <summary>A sampler for one sequence.</summary>
    /// <param name="options">The rules.</param>
    /// <param name="prompt">The tokens before the first draw.</param>
    /// <param name="completion">Which completion of the prompt: each draws other numbers.</param>
    public Sampler(GenerationOptions options, ReadOnlySpan<int> prompt, int completion = 0)
    {
        _options = options;
        _completion = (ulong)completion;
        _text.AddRange(options.Processors.Count > 0 ? prompt : []);
        foreach (int id in prompt)
        {
            _seen.Add(id);
        }
    }

    /// <summary>Chooses a token.</summary>
    /// <param name="logits">(V).</param>
    /// <param name="position">How many tokens stand before it: the counter of the draw.</param>
    public int Next(ReadOnlySpan<float> logits, long position)
    {
        Span<float> scores = Scores(logits);
        Penalise(scores);
        int id = _options.Temperature == 0 ? ArgMax(scores) : Draw(scores, position);
        Count(id);
        return id;
    }

    /// <summary>The probabilities that a draw would use, for tests and displays. Does not count as a draw.</summary>
    internal float[] Distribution(ReadOnlySpan<float> logits)
    {
        Span<float> scores = Scores(logits);
        Penalise(scores);
        Filter(scores);
        double total = Exponentiate(scores);
        return [.. scores.ToArray().Select(p => (float)(p / total))];
    }

    private Span<float> Scores(ReadOnlySpan<float> logits)
    {
        if (_scores.Length != logits.Length)
        {
            (_scores, _sorted, _order) = (new float[logits.Length], new float[logits.Length], new int[logits.Length]);
            Reserve(logits.Length);
        }
        logits.CopyTo(_scores);
        return _scores;
    }

    // Room for every token that may come, so that none allocates.
    private void Reserve(int vocabulary)
    {
        if (_options.RepetitionPenalty != 1)
        {
            _seen.EnsureCapacity((int)Math.Min(vocabulary, _seen.Count + (long)_options.MaxNewTokens));
        }
        if (_options.FrequencyPenalty != 0 || _options.PresencePenalty != 0)
        {
            _generated.EnsureCapacity(Math.Min(vocabulary, _options.MaxNewTokens));
        }
    }

    /// <summary>Counts a token as generated, where a penalty asks for it.</summary>
    internal void Count(int id)
    {
        if (_options.Processors.Count > 0)
        {
            _text.Add(id);
        }
        if (_options.RepetitionPenalty != 1)
        {
            _seen.Add(id);
        }
        if (_options.FrequencyPenalty != 0 || _options.PresencePenalty != 0)
        {
            System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_generated, id, out _)++;
        }
    }

    private void Penalise(Span<float> scores)
    {
        for (int i = 0; i < _options.Processors.Count; i++)
        {
            _options.Processors[i].Apply(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_text), scores);
        }
        if (_options.RepetitionPenalty != 1)
        {
            float penalty = (float)_options.RepetitionPenalty;
            foreach (int id in _seen)
            {
                scores[id] = scores[id] > 0 ? scores[id] / penalty : scores[id] * penalty;
            }
        }
        if (_options.FrequencyPenalty != 0 || _options.PresencePenalty != 0)
        {
            foreach ((int id, int count) in _generated)
            {
                scores[id] -= (float)((_options.FrequencyPenalty * count) + _options.PresencePenalty);
            }
        }
    }

    private int Draw(Span<float> scores, long position)
    {
        Filter(scores);
        double total = Exponentiate(scores);
        double at = new CounterRandom((ulong)_options.Seed, Stream, _completion, position * 2).NextDouble() * total;
        int last = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            if (scores[i] > 0)
            {
                last = i;
                at -= scores[i];
                if (at < 0)
                {
                    return i;
                }
            }
        }
        return last; // rounding left a crumb behind the last token
    }

    private void Filter(Span<float> scores)
    {
        float inverse = (float)(1 / _options.Temperature);
        for (int i = 0; inverse != 1 && i < scores.Length; i++)
        {
            scores[i] *= inverse;
        }
        int least = Math.Min(_options.MinTokensToKeep, scores.Length), topK = Math.Max(_options.TopK, least);
        if (_options.TopK > 0 && topK < scores.Length)
        {
            Sort(scores);
            Drop(scores, _sorted[topK - 1]);
        }
        if (_options.TopP < 1)
        {
            KeepNucleus(scores);
        }
        if (_options.MinP > 0)
        {
            float limit = Max(scores) + (float)Math.Log(_options.MinP);
            if (least > 1)
            {
                Sort(scores);
                limit = Math.Min(limit, _sorted[least - 1]);
            }
            Drop(scores, limit);
        }
    }

    // The token that crosses the threshold stays. Equal scores: the smaller id first.
    private void KeepNucleus(Span<float> scores)
    {
        Sort(scores);
        double total = 0, max = _sorted[0];
        foreach (float s in _sorted)
        {
            total += Math.Exp(s - max);
        }
        double sum = 0;
        for (int i = 0; i < _sorted.Length; i++)
        {
            if (sum >= _options.TopP * total && i >= _options.MinTokensToKeep)
            {
                scores[_order[i]] = float.NegativeInfinity;
            }
            sum += Math.Exp(_sorted[i] - max);
        }
    }

    private void Sort(ReadOnlySpan<float> scores)
    {
        for (int i = 0; i < scores.Length; i++)
        {
            (_order[i], _sorted[i]) = (i, scores[i]);
        }
        _largestFirst ??= (a, b) => _sorted[a] == _sorted[b] ? a.CompareTo(b) : _sorted[b].CompareTo(_sorted[a]);
        Array.Sort(_order, _largestFirst);
        for (int i = 0; i < scores.Length; i++)
        {
            _sorted[i] = scores[_order[i]];
        }
    }

    private static void Drop(Span<float> scores, float below)
    {
        foreach (ref float s in scores)
        {
            s = s < below ? float.NegativeInfinity : s;
        }
    }

    private static double Exponentiate(Span<float> scores)
    {
        float max = Max(scores);
        double total = 0;
        foreach (ref float s in scores)
        {
            s = (float)Math.Exp(s - max);
            total += s;
        }
        return total;
    }

    private static float Max(ReadOnlySpan<float> scores) => scores[ArgMax(scores)];

    /// <summary>The largest score; of equal ones the smallest id.</summary>
    internal static int ArgMax(ReadOnlySpan<float> scores)
    {
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
        {
            best = scores[i] > scores[best] ? i : best;
        }
        return best;
    }
}
