using Banyan.Inference.Sampling;
using Banyan.Models;
using Banyan.Tokenizers;

namespace Banyan.Inference;

/// <summary>One sequence while it is generated: its cache, sampler, text and end.</summary>
internal sealed class GeneratedSequence
{
    private readonly LanguageModel _lm;
    private readonly GenerationOptions _options;
    private readonly int _index;
    private readonly int[] _prompt;
    private readonly List<int> _ids;
    private readonly List<double> _logProbs;
    private readonly List<IReadOnlyList<(int, double)>> _top;
    private readonly List<string> _texts;
    private readonly Sampler _sampler;
    private readonly DecodeStream? _decoder;
    private readonly StopStrings _stops;

    public GeneratedSequence(LanguageModel lm, int[] prompt, GenerationOptions options, int index, int completion, SequenceCache? cache = null)
    {
        (_lm, _prompt, _options, _index) = (lm, prompt, options, index);
        long length = Math.Min((long)prompt.Length + options.MaxNewTokens, lm.Model.MaxPositions);
        Cache = cache ?? new SequenceCache(length);
        int room = (int)Math.Max(length - prompt.Length, 0);   // for every token that may come, so that none allocates
        (_ids, _logProbs, _top, _texts) = (new(room), new(room), new(room), new(room));
        _sampler = new Sampler(options, prompt, completion);
        _decoder = lm.HasTokenizer ? lm.Tokenizer.DecodeStream(prefix: prompt) : null;
        _stops = new StopStrings(options.StopStrings);
    }

    public SequenceCache Cache { get; }

    public FinishReason? Finish { get; private set; }

    /// <summary>Appends the tokens that the cache has not seen; returns how many.</summary>
    public int AddUnseen(List<long> ids)
    {
        if (_ids.Count > 0)
        {
            ids.Add(_ids[^1]);
            return 1;
        }
        int seen = (int)Cache.Length;
        for (int i = seen; i < _prompt.Length; i++)
        {
            ids.Add(_prompt[i]);
        }
        return _prompt.Length - seen;
    }

    /// <summary>Chooses the next token.</summary>
    public GeneratedToken Add(ReadOnlySpan<float> logits)
    {
        double logSumExp = LogProbs.LogSumExp(logits);
        if (!double.IsFinite(logSumExp))
        {
            throw _lm.NotFinite();
        }
        int id = _sampler.Next(logits, _prompt.Length + _ids.Count);
        IReadOnlyList<(int, double)> top = LogProbs.Top(logits, logSumExp, _options.TopLogProbs);
        _ids.Add(id);
        _logProbs.Add(logits[id] - logSumExp);
        _top.Add(top);
        string text = Advance(id);
        _texts.Add(text);
        return new GeneratedToken(_index, id, _logProbs[^1], text, Finish, top);
    }

    public Completion ToCompletion() => new(_prompt, _ids, _logProbs, string.Concat(_texts), Finish ?? FinishReason.Length, _top);

    private string Advance(int id)
    {
        if (!_options.IgnoreEnd && _lm.EndIds.Contains(id))
        {
            Finish = FinishReason.End;
            return _stops.Rest();
        }
        (string text, bool stopped) = _stops.Add(_decoder?.Step(id) ?? "");
        if (stopped)
        {
            Finish = FinishReason.StopString;
        }
        else if (_ids.Count == _options.MaxNewTokens || _prompt.Length + _ids.Count >= _lm.Model.MaxPositions)
        {
            Finish = FinishReason.Length;
            text += _stops.Rest();
        }
        return text;
    }
}
