namespace Banyan.Models;

/// <summary>
/// The tokens of one forward pass as a ragged batch: sequences of any length lie one after another, without padding. Packing, caches and
/// continuous batching are all this one form; a padded rectangle is an adapter on top (<see cref="Rectangle"/>).
/// </summary>
public sealed class TokenBatch
{
    private readonly Dictionary<object, (Tensor Cos, Tensor Sin)> _rotations = [];
    private readonly SequenceLayout _cachedLayout = new();
    private readonly AttentionOptions _attention = new();
    private long[]? _continued;   // positions, kept for the next pass of a loop

    /// <summary>A batch.</summary>
    /// <param name="ids">(tokens), int64.</param>
    /// <param name="positions">(tokens), int64: each token's position in its sequence.</param>
    /// <param name="maxPosition">The largest of them.</param>
    /// <param name="layout">How the tokens form sequences.</param>
    /// <param name="caches">One for each sequence of the layout, or null: what the sequences have seen before.</param>
    public TokenBatch(Tensor ids, Tensor positions, long maxPosition, SequenceLayout layout, IReadOnlyList<SequenceCache>? caches = null)
    {
        if (caches is not null && caches.Count != layout.Count)
        {
            throw new ArgumentException($"{caches.Count} caches given for {layout.Count} sequences");
        }
        (Ids, Positions, MaxPosition, Layout, Caches) = (ids, positions, maxPosition, layout, caches);
    }

    /// <summary>(tokens), int64.</summary>
    public Tensor Ids { get; private set; }

    /// <summary>(tokens), int64.</summary>
    public Tensor Positions { get; private set; }

    /// <summary>The largest position.</summary>
    public long MaxPosition { get; private set; }

    /// <summary>How the tokens form sequences (this pass's tokens only).</summary>
    public SequenceLayout Layout { get; }

    /// <summary>The sequences' caches, or null.</summary>
    public IReadOnlyList<SequenceCache>? Caches { get; private set; }

    /// <summary>How many positions the sequences have room for: tables of positions are made for all of them at once.</summary>
    internal long Room => Math.Max(MaxPosition + 1, Caches is { Count: > 0 } ? Caches.Max(c => c.Capacity) : 0);

    /// <summary>(tokens), int64: which segment each token belongs to (BERT), or null: all to segment 0.</summary>
    public Tensor? TokenTypes { get; init; }

    /// <summary>(tokens): which tokens see all and are seen by all where attention is local (Longformer). Null: none.</summary>
    public bool[]? Global { get; set; }

    /// <summary>What the decoder of an <see cref="EncoderDecoderModel"/> attends to; null: what the caches remember of it.</summary>
    public EncodedSource? Source { get; set; }

    /// <summary>Rows (n, C) that stand in for the embeddings of the tokens at these places (n), int64: pictures between the words. Null: none.</summary>
    public (Tensor Rows, Tensor Places)? Inserted { get; set; }

    /// <summary>Boolean (sequences, 1, T, T), true = visible: what tokens see in place of all before them (a prefix that sees itself whole). Null: causal attention. Not with caches that hold tokens.</summary>
    public Tensor? Sees { get; set; }

    /// <summary>Number of tokens.</summary>
    public long Tokens => Ids.Count;

    /// <summary>A [batch, length] rectangle of ids, padded or not.</summary>
    /// <param name="ids">(B, T), any integer type.</param>
    /// <param name="mask">(B, T), 0 where the token is padding that no other token may see; null: all are real.</param>
    /// <param name="positions">(B, T), or null: 0, 1, 2 ... in each row.</param>
    /// <param name="scope">Owner of the tensors.</param>
    /// <param name="types">(B, T): the tokens' segments, or null.</param>
    public static TokenBatch Rectangle(Tensor ids, Tensor? mask, Tensor? positions, Scope scope, Tensor? types = null)
    {
        if (ids.Rank != 2)
        {
            throw new ArgumentException($"input_ids must be (batch, length), given {ids.Shape}");
        }
        int batch = (int)ids.Shape[0], length = (int)ids.Shape[1];
        bool[]? visible = mask is null ? null : Array.ConvertAll(mask.ToDoubles(), m => m != 0);
        long[] at = positions is null ? [.. Enumerable.Range(0, batch * length).Select(i => (long)(i % length))] : [.. positions.ToDoubles().Select(p => (long)p)];
        if (at.Length == 1 * length && batch > 1)
        {
            at = [.. Enumerable.Range(0, batch * length).Select(i => at[i % length])];
        }
        return new TokenBatch(scope.Use(ids.To(DType.Int64)).Reshape(-1), scope.From<long>(at, [at.Length]), at.Length == 0 ? 0 : at.Max(),
            SequenceLayout.Batch(batch, length, visible)) { TokenTypes = types is null ? null : scope.Use(types.To(DType.Int64)).Reshape(-1) };
    }

    /// <summary>Sequences one after another, each from position 0.</summary>
    public static TokenBatch Packed(ReadOnlySpan<long> ids, ReadOnlySpan<int> lengths, Scope scope)
    {
        var positions = new long[ids.Length];
        int at = 0, longest = 0;
        foreach (int length in lengths)
        {
            for (int p = 0; p < length; p++)
            {
                positions[at++] = p;
            }
            longest = Math.Max(longest, length);
        }
        return at == ids.Length
            ? new TokenBatch(scope.From(ids, [ids.Length]), scope.From<long>(positions, [ids.Length]), Math.Max(longest - 1, 0), SequenceLayout.Packed(lengths))
            : throw new ArgumentException($"the lengths add up to {at}, {ids.Length} ids were given");
    }

    /// <summary>The next tokens of sequences that have caches: each continues at its cache's length.</summary>
    /// <param name="ids">The new tokens of all sequences, one after another.</param>
    /// <param name="lengths">How many are each sequence's.</param>
    /// <param name="caches">One for each sequence.</param>
    /// <param name="scope">Owner of the tensors.</param>
    /// <param name="reuse">A batch of an earlier pass that is filled again and given back, so that a loop makes only one; null: a new one.</param>
    public static TokenBatch Continue(ReadOnlySpan<long> ids, ReadOnlySpan<int> lengths, IReadOnlyList<SequenceCache> caches, Scope scope, TokenBatch? reuse = null)
    {
        long[] positions = reuse?._continued is { } room && room.Length >= ids.Length ? room : new long[ids.Length];
        int at = 0;
        long max = 0;
        for (int s = 0; s < lengths.Length; s++)
        {
            for (int p = 0; p < lengths[s]; p++)
            {
                max = Math.Max(max, positions[at++] = caches[s].Length + p);
            }
        }
        Tensor newIds = scope.From(ids, [ids.Length]), newPositions = scope.From<long>(positions.AsSpan(0, ids.Length), [ids.Length]);
        TokenBatch batch = reuse ?? new TokenBatch(newIds, newPositions, max, new SequenceLayout());
        (batch.Ids, batch.Positions, batch.MaxPosition, batch.Caches, batch._continued) = (newIds, newPositions, max, caches, positions);
        (batch.Inserted, batch.Sees) = (null, null);
        batch.Layout.Pack(lengths);
        return batch;
    }

    /// <summary>Options for the next call of <see cref="Attend"/>: one object for all calls, which a token of a generated text needs not make.</summary>
    public AttentionOptions Options(bool causal)
    {
        _attention.Reset();
        (_attention.Causal, _attention.Mask) = (causal && Sees is null, causal ? Sees : null);
        return _attention;
    }

    /// <summary>
    /// Attention of one layer: each sequence sees its own keys, and with caches also what it saw before; the new keys and values are appended there.
    /// </summary>
    /// <param name="layer">Index of the layer: the name of its slot in the caches.</param>
    /// <param name="q">(tokens, H, D).</param>
    /// <param name="k">(tokens, Hkv, D).</param>
    /// <param name="v">(tokens, Hkv, Dv).</param>
    /// <param name="options">Window, scale, biases; null: causal. Its layout is set here.</param>
    public Tensor Attend(int layer, Tensor q, Tensor k, Tensor v, AttentionOptions? options = null)
    {
        options ??= Options(causal: true);
        options.Layout = Caches is null ? Layout : Extend(layer, k, v);
        return Ops.Attention.Apply(q, k, v, options);
    }

    /// <summary>
    /// Attention of a decoder's layer to the source. Its keys and values are computed once; caches remember them, and later passes need no source.
    /// </summary>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="q">(tokens, H, D).</param>
    /// <param name="project">Keys (source tokens, Hkv, D) and values of the source's hidden states.</param>
    /// <param name="options">Scale, biases. Its layout is set here.</param>
    /// <exception cref="InvalidOperationException">There is no source, here or in the caches.</exception>
    public Tensor AttendToSource(int layer, Tensor q, Func<Tensor, (Tensor K, Tensor V)> project, AttentionOptions options)
    {
        if (Source is null)
        {
            options.Layout = EncodedSource.Remembered(Layout, Caches ?? throw new InvalidOperationException("the decoder needs TokenBatch.Source"), layer,
                out Tensor keys, out Tensor values);
            return Ops.Attention.Apply(q, keys, values, options);
        }
        (Tensor k, Tensor v) = project(Source.Hidden);
        if (Caches is not null)
        {
            Source.Remember(Caches, layer, k, v);
        }
        options.Layout = Source.SeenBy(Layout);
        return Ops.Attention.Apply(q, k, v, options);
    }

    /// <summary>
    /// (tokens), int64: how many visible tokens each sequence had before this one, -1 for padding: the positions of models that count from the mask.
    /// </summary>
    public Tensor CountedPositions()
    {
        if (Layout.KeyMask is not { } visible)
        {
            return Positions;
        }
        var positions = new long[Tokens];
        for (int s = 0; s < Layout.Count; s++)
        {
            SequenceSpan span = Layout[s];
            for (long t = 0, next = 0; t < span.QueryLength; t++)
            {
                positions[span.QueryStart + t] = visible[span.KeyMaskStart + t] ? next++ : -1;
            }
        }
        return Ids.Scope!.From<long>(positions, [Tokens]);
    }

    /// <summary>
    /// A recurrence of one layer, sequence by sequence: each continues from the state that its cache holds and leaves the new one there.
    /// </summary>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="name">Name of the state; a layer may have several.</param>
    /// <param name="step">From a sequence's place among the tokens and its state (null: none yet) to its rows of the result and the next state.</param>
    /// <returns>The rows of all sequences (tokens, ...).</returns>
    public Tensor Recur(int layer, string name, Func<SequenceSpan, Tensor?, (Tensor Y, Tensor State)> step)
    {
        var rows = new Tensor[Layout.Count];
        for (int s = 0; s < rows.Length; s++)
        {
            (rows[s], Tensor state) = step(Layout[s], Caches?[s].State(layer, name));
            Caches?[s].SetState(layer, name, state);
        }
        return rows.Length == 1 ? rows[0] : Tensor.Cat(rows, 0);
    }

    /// <summary>x (tokens, ...) with zeros in the rows of padding tokens, so that these leave no trace in a recurrent state.</summary>
    public Tensor ZeroPadding(Tensor x)
    {
        if (Layout.KeyMask is not { } visible || visible.All(v => v))
        {
            return x;
        }
        float[] keep = Array.ConvertAll(visible, v => v ? 1f : 0f);
        return x * x.Scope!.From(keep, new Shape([x.Shape[0], .. Enumerable.Repeat(1L, x.Rank - 1)]));
    }

    /// <summary>The rows of x (tokens, C) that belong to each sequence's first token: (sequences, C).</summary>
    public Tensor First(Tensor x)
    {
        var rows = new long[Layout.Count];
        for (int s = 0; s < rows.Length; s++)
        {
            rows[s] = Layout[s].QueryStart;
        }
        return x.Embedding(x.Scope!.From(rows, [rows.Length]));
    }

    /// <summary>Counts this pass's tokens as seen; a model calls it once, after its last layer.</summary>
    public void AdvanceCaches()
    {
        for (int s = 0; s < (Caches?.Count ?? 0); s++)
        {
            Caches![s].Advance(Layout[s].QueryLength);
        }
    }

    private SequenceLayout Extend(int layer, Tensor k, Tensor v)
    {
        _cachedLayout.Clear();
        for (int s = 0; s < Layout.Count; s++)
        {
            SequenceSpan span = Layout[s];
            SequenceCache cache = Caches![s];
            (Tensor keys, Tensor values) = cache.Append(layer, k.Slice(0, span.QueryStart, span.QueryLength), v.Slice(0, span.QueryStart, span.QueryLength));
            _cachedLayout.Add(new SequenceSpan(span.QueryStart, span.QueryLength, 0, cache.Length + span.QueryLength, cache.Length) { Keys = keys, Values = values });
        }
        return _cachedLayout;
    }

    internal (Tensor Cos, Tensor Sin) RotationOf(RotaryEmbedding rotary) => _rotations[rotary];

    internal void SetRotation(RotaryEmbedding rotary, Tensor cos, Tensor sin) => _rotations[rotary] = (cos, sin);
}
