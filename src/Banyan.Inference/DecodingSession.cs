using Banyan.Cpu;
using Banyan.Models;
using Banyan.Nn;
using Banyan.Ops;

namespace Banyan.Inference;

/// <summary>
/// Runs a model on growing sequences: each pass sees only the new tokens, the caches hold the rest. The logits of a token have the same bits
/// whether it was given alone, with others, or in one pass with the whole text.
/// </summary>
/// <remarks>Not safe for concurrent callers. The memory of a pass is used again by the next one.</remarks>
public sealed class DecodingSession : IDisposable
{
    private readonly DecoderModel _model;
    private readonly Scope _scope;
    private readonly ForwardPass _pass;
    private TokenBatch? _batch;

    /// <summary>A session.</summary>
    /// <param name="model">The model, with weights.</param>
    /// <param name="pool">The threads; null: the shared pool.</param>
    /// <param name="tap">Sees every module's output; null: nobody.</param>
    public DecodingSession(DecoderModel model, ComputePool? pool = null, ITap? tap = null)
    {
        _model = model;
        _scope = new Scope(new ScopeOptions { Pool = pool, RecycleHandles = true });
        _pass = new ForwardPass(_scope) { Tap = tap };
    }

    /// <summary>The logits behind the last token of each sequence.</summary>
    /// <param name="ids">The new tokens of all sequences, one after another.</param>
    /// <param name="lengths">How many are each sequence's; at least 1.</param>
    /// <param name="caches">What each sequence has seen; they grow.</param>
    /// <param name="logits">Receives (sequences, V).</param>
    /// <param name="source">What the decoder of an encoder-decoder attends to, in the first pass of its sequences; null: what the caches remember.</param>
    public void Last(ReadOnlySpan<long> ids, ReadOnlySpan<int> lengths, IReadOnlyList<SequenceCache> caches, Span<float> logits, Func<ForwardPass, EncodedSource>? source = null)
    {
        Tensor hidden = Hidden(ids, lengths, caches, source);
        if (ids.Length != lengths.Length)
        {
            var last = new long[lengths.Length];
            for (int s = 0, end = 0; s < lengths.Length; s++)
            {
                end += lengths[s];
                last[s] = end - 1;
            }
            hidden = hidden.Embedding(_scope.From<long>(last, [last.Length]));
        }
        _model.Logits(hidden, _pass).CopyTo(logits);
        _scope.Reset();
    }

    /// <summary>As <see cref="Last"/>, and the final hidden states of all the tokens that were given: (tokens, C).</summary>
    internal float[] LastWithHidden(ReadOnlySpan<long> ids, ReadOnlySpan<int> lengths, IReadOnlyList<SequenceCache> caches, Span<float> logits)
    {
        Tensor hidden = Hidden(ids, lengths, caches);
        float[] all = hidden.ToArray<float>();
        var last = new long[lengths.Length];
        for (int s = 0, end = 0; s < lengths.Length; s++)
        {
            end += lengths[s];
            last[s] = end - 1;
        }
        _model.Logits(hidden.Embedding(_scope.From<long>(last, [last.Length])), _pass).CopyTo(logits);
        _scope.Reset();
        return all;
    }

    /// <summary>The logits behind every token of one sequence, handed over row by row: (V) each.</summary>
    /// <param name="ids">The new tokens.</param>
    /// <param name="cache">What the sequence has seen; it grows.</param>
    /// <param name="row">Receives the index of the token within <paramref name="ids"/> and its logits.</param>
    public void Each(ReadOnlySpan<long> ids, SequenceCache cache, Action<int, float[]> row)
    {
        Tensor hidden = Hidden(ids, [ids.Length], [cache]);
        int rows = Math.Max(1, (1 << 22) / _model.VocabularySize); // 16 MiB of logits at once
        var buffer = new float[_model.VocabularySize];
        for (int from = 0; from < ids.Length; from += rows)
        {
            int n = Math.Min(rows, ids.Length - from), mark = _scope.Mark();
            Tensor logits = _model.Logits(hidden.Slice(0, from, n), _pass);
            for (int i = 0; i < n; i++)
            {
                logits.Slice(0, i, 1).CopyTo<float>(buffer);
                row(from + i, buffer);
            }
            _scope.Keep(mark, hidden);
        }
        _scope.Reset();
    }

    /// <inheritdoc/>
    public void Dispose() => _scope.Dispose();

    private Tensor Hidden(ReadOnlySpan<long> ids, ReadOnlySpan<int> lengths, IReadOnlyList<SequenceCache> caches, Func<ForwardPass, EncodedSource>? source = null)
    {
        foreach (long id in ids)
        {
            if ((ulong)id >= (ulong)_model.VocabularySize)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"token id outside the vocabulary of {_model.VocabularySize}");
            }
        }
        for (int s = 0; s < lengths.Length; s++)
        {
            if (caches[s].Length + lengths[s] > _model.MaxPositions)
            {
                throw new ArgumentException($"a sequence of {caches[s].Length + lengths[s]} tokens; this model was built for {_model.MaxPositions} positions");
            }
        }
        _batch = TokenBatch.Continue(ids, lengths, caches, _scope, _batch);
        _batch.Source = source?.Invoke(_pass);
        return _model.Hidden(_batch, _pass);
    }
}
