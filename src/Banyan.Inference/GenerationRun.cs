using System.Diagnostics;
using Banyan.Cpu;
using Banyan.Inference.Sampling;
using Banyan.Models;

namespace Banyan.Inference;

/// <summary>A prompt of which a cache has seen the beginning.</summary>
/// <param name="Ids">The whole prompt.</param>
/// <param name="Cache">Has seen fewer tokens than the prompt has; it grows with what is generated.</param>
internal sealed record PrefilledPrompt(int[] Ids, SequenceCache Cache);

/// <summary>Sequences that are generated together: one pass for all that are not finished, then one draw for each.</summary>
internal sealed class GenerationRun : IDisposable
{
    private readonly LanguageModel _lm;
    private readonly GenerationOptions _options;
    private readonly DecodingSession _session;
    private readonly GeneratedSequence[] _all;
    private readonly List<GeneratedSequence> _active;
    private readonly List<SequenceCache> _caches = [];
    private readonly List<long> _ids = [];
    private readonly List<int> _lengths = [];
    private readonly long _start = Stopwatch.GetTimestamp();
    private float[] _logits = [];
    private long _tokens, _steps;
    private double _first;

    public GenerationRun(LanguageModel lm, PrefilledPrompt prompt, GenerationOptions options, ComputePool? pool) : this(lm, [prompt.Ids], options with { Completions = 1 }, pool)
    {
        _all[0] = new GeneratedSequence(lm, prompt.Ids, _options, 0, 0, prompt.Cache);
        if (_active.Count > 0)
        {
            _active[0] = _all[0];
        }
    }

    public GenerationRun(LanguageModel lm, IReadOnlyList<int[]> prompts, GenerationOptions options, ComputePool? pool)
    {
        if (prompts.FirstOrDefault(p => p.Length == 0) is not null)
        {
            throw new ArgumentException("a prompt has no tokens; give at least one (a begin-of-text token)", nameof(prompts));
        }
        (_lm, _options, _session) = (lm, options, new DecodingSession(lm.Model, pool, options.Check ? new FiniteTap(lm.Source) : null));
        _all = [.. prompts.SelectMany((p, i) => Enumerable.Range(0, options.Completions).Select(c => new GeneratedSequence(lm, p, options, (i * options.Completions) + c, c)))];
        _active = options.MaxNewTokens == 0 ? [] : [.. _all];
        _lm.Logger.Started(_all.Length, prompts.Sum(p => (long)p.Length) * options.Completions, options.MaxNewTokens);
    }

    public bool IsDone => _active.Count == 0;

    public Completion[] Completions() => [.. _all.Select(s => s.ToCompletion())];

    public void Step(Action<GeneratedToken>? onToken)
    {
        _caches.Clear();
        _ids.Clear();
        _lengths.Clear();
        foreach (GeneratedSequence s in _active)
        {
            _caches.Add(s.Cache);
            _lengths.Add(s.AddUnseen(_ids));
        }
        int vocabulary = _lm.Model.VocabularySize;
        if (_logits.Length < _active.Count * vocabulary)
        {
            _logits = new float[_active.Count * vocabulary];
        }
        _session.Last(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_ids), System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_lengths), _caches,
            _logits.AsSpan(0, _active.Count * vocabulary));
        for (int i = 0; i < _active.Count; i++)
        {
            GeneratedToken token = _active[i].Add(_logits.AsSpan(i * vocabulary, vocabulary));
            _first = _first == 0 ? Stopwatch.GetElapsedTime(_start).TotalSeconds : _first;
            onToken?.Invoke(token);
        }
        Measure();
        _active.RemoveAll(static s => s.Finish is not null);
        if (IsDone)
        {
            double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
            InferenceMetrics.Finished(seconds, _first, _steps, _lm.Source);
            _lm.Logger.Finished(_tokens, seconds, _first);
        }
    }

    /// <summary>Says that the rest is not wanted.</summary>
    public void Cancel() => _lm.Logger.Cancelled(_tokens);

    private void Measure()
    {
        if (_steps++ == 0)
        {
            InferenceMetrics.Read(_ids.Count, _lm.Source);
            InferenceMetrics.FirstToken(_first, _lm.Source);
        }
        _tokens += _active.Count;
        InferenceMetrics.Generated(_active.Count, _lm.Source);
    }

    public void Dispose() => _session.Dispose();
}
