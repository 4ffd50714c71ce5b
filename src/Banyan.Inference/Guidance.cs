using Banyan.Cpu;
using Banyan.Inference.Sampling;
using Banyan.Models;

namespace Banyan.Inference;

/// <summary>
/// Classifier-free guidance for text (Sanchez et al. 2023, arXiv:2306.17806): u + scale (c - u), where u are the scores without the prompt. Keeps what the text
/// without the prompt has seen, so it serves one sequence at a time.
/// </summary>
public sealed class Guidance : ILogitsProcessor, IDisposable
{
    private readonly DecodingSession _session;
    private readonly int _promptLength;
    private readonly double _scale;
    private readonly float[] _unconditional;
    private SequenceCache _cache = new();
    private int[] _seen = [];

    /// <summary>Guidance by the model itself.</summary>
    /// <param name="lm">The model.</param>
    /// <param name="promptLength">Tokens of the prompt; its last one is what the text without the prompt begins with.</param>
    /// <param name="scale">1 changes nothing; above 1 the prompt counts more.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    public Guidance(LanguageModel lm, int promptLength, double scale, ComputePool? pool = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(promptLength, 1);
        (_session, _promptLength, _scale, _unconditional) = (new DecodingSession(lm.Model, pool), promptLength, scale, new float[lm.Model.VocabularySize]);
    }

    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<int> ids, Span<float> scores)
    {
        ReadOnlySpan<int> text = ids[(_promptLength - 1)..];
        if (text.Length <= _seen.Length || !text.StartsWith(_seen))
        {
            (_cache, _seen) = (new SequenceCache(), []);   // another text than before
        }
        long[] unseen = [.. text[_seen.Length..].ToArray().Select(id => (long)id)];
        _session.Last(unseen, [unseen.Length], [_cache], _unconditional);
        _seen = text.ToArray();
        Mix(scores, _unconditional, _scale);
    }

    /// <summary>The formula: scores become u + scale (c - u).</summary>
    internal static void Mix(Span<float> scores, ReadOnlySpan<float> unconditional, double scale)
    {
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = (float)(unconditional[i] + scale * (scores[i] - unconditional[i]));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
