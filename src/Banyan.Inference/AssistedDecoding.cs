using Banyan.Cpu;
using Banyan.Inference.Sampling;
using Banyan.Models;

namespace Banyan.Inference;

/// <summary>Guesses how a text goes on.</summary>
public interface IDraft
{
    /// <summary>Up to <paramref name="count"/> tokens that may follow.</summary>
    IReadOnlyList<int> Propose(IReadOnlyList<int> text, int count);
}

/// <summary>A small model drafts for a large one with the same vocabulary.</summary>
public sealed class ModelDraft : IDraft, IDisposable
{
    private readonly DecodingSession _session;
    private readonly float[] _logits;
    private readonly List<int> _seen = [];
    private readonly SequenceCache _cache = new();

    /// <summary>Drafts with a model.</summary>
    /// <param name="lm">The small model; its layers must be attention, whose cache can be cut back.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    public ModelDraft(LanguageModel lm, ComputePool? pool = null) => (_session, _logits) = (new DecodingSession(lm.Model, pool), new float[lm.Model.VocabularySize]);

    /// <inheritdoc/>
    public IReadOnlyList<int> Propose(IReadOnlyList<int> text, int count)
    {
        int same = 0;
        while (same < Math.Min(_seen.Count, text.Count - 1) && _seen[same] == text[same])
        {
            same++;
        }
        _cache.Truncate(same);
        _seen.RemoveRange(same, _seen.Count - same);
        var drafted = new List<int>(count);
        for (List<int> unseen = [.. text.Skip(same)]; drafted.Count < count; unseen = [drafted[^1]])
        {
            _session.Last([.. unseen.Select(id => (long)id)], [unseen.Count], [_cache], _logits);
            _seen.AddRange(unseen);
            drafted.Add(Sampler.ArgMax(_logits));
        }
        return drafted;
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}

/// <summary>Drafts what followed the last words where they stood before: for texts that quote themselves.</summary>
/// <param name="longest">The most words that are looked for. Default: 2.</param>
public sealed class PromptLookup(int longest = 2) : IDraft
{
    /// <inheritdoc/>
    public IReadOnlyList<int> Propose(IReadOnlyList<int> text, int count)
    {
        for (int size = Math.Min(longest, text.Count - 1); size > 0; size--)
        {
            for (int at = 0; at + size < text.Count; at++)
            {
                if (Enumerable.Range(0, size).All(i => text[at + i] == text[text.Count - size + i]))
                {
                    return [.. text.Skip(at + size).Take(count)];
                }
            }
        }
        return [];
    }
}

/// <summary>Greedy decoding that checks several drafted tokens in one pass: the ids of greedy decoding, in fewer passes.</summary>
public static class AssistedDecoding
{
    /// <summary>The continuation, without the prompt; ends behind the token that ends a text.</summary>
    /// <param name="lm">The model; its layers must be attention, whose cache can be cut back.</param>
    /// <param name="draft">What guesses.</param>
    /// <param name="prompt">The tokens before; at least one.</param>
    /// <param name="maxNewTokens">The most tokens.</param>
    /// <param name="drafted">Tokens that are guessed at once. Default: 4.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="cancellationToken">Ends the text between two passes.</param>
    public static IReadOnlyList<int> Generate(LanguageModel lm, IDraft draft, IReadOnlyList<int> prompt, int maxNewTokens, int drafted = 4, ComputePool? pool = null, CancellationToken cancellationToken = default)
    {
        if (prompt.Count == 0)
        {
            throw new ArgumentException("the prompt has no tokens; give at least one (a begin-of-text token)", nameof(prompt));
        }
        using var session = new DecodingSession(lm.Model, pool);
        var cache = new SequenceCache();
        List<int> text = [.. prompt];
        int end = prompt.Count + maxNewTokens;
        while (text.Count < end && !(text.Count > prompt.Count && lm.EndIds.Contains(text[^1])))
        {
            cancellationToken.ThrowIfCancellationRequested();
            IReadOnlyList<int> guess = draft.Propose(text, Math.Min(drafted, end - text.Count - 1));
            int unseen = text.Count - (int)cache.Length;
            long[] ids = [.. text.Skip((int)cache.Length).Concat(guess).Select(id => (long)id)];
            var best = new int[ids.Length];
            session.Each(ids, cache, (i, logits) => best[i] = Sampler.ArgMax(logits));
            int before = text.Count;
            for (int i = unseen - 1; i < ids.Length && text.Count < end; i++)
            {
                int next = best[i], at = i - unseen + 1;
                text.Add(next);
                if (at >= guess.Count || guess[at] != next || lm.EndIds.Contains(next))
                {
                    break;   // the guess was wrong from here on, or the text is over
                }
            }
            cache.Truncate(Math.Min(cache.Length, text.Count - 1));
        }
        return text[prompt.Count..];
    }
}
