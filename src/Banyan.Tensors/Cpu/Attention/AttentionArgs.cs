namespace Banyan.Cpu;

/// <summary>
/// One sequence of a packed batch: a run of queries and the run of keys that they see. All positions count from the sequence's own start,
/// so nothing that happens to a sequence depends on its neighbours.
/// </summary>
internal unsafe struct AttentionSegment<T> where T : unmanaged
{
    /// <summary>First query token in q and o, and their number.</summary>
    public long QStart, QLength;

    /// <summary>First key token in k and v, and their number. In a backward pass the key ranges of segments must not overlap.</summary>
    public long KStart, KLength;

    /// <summary>
    /// Query i sits at key position i + Offset. Cached decoding and chunked prefill: KLength - QLength (aligned bottom right);
    /// 0 aligns top left, as torch's rectangular <c>is_causal</c> does.
    /// </summary>
    public long Offset;

    /// <summary>This sequence's own keys and values (a cache that lies elsewhere), at token KStart; null: those of the args.</summary>
    public T* K, V;

    /// <summary>Strides in elements of <see cref="K"/> and <see cref="V"/>; read only where the pointer is set.</summary>
    public nint KTokenStride, KHeadStride, VTokenStride, VHeadStride;

    /// <summary>KLength bytes, 1 = visible; null: every key is.</summary>
    public byte* KeyMask;

    /// <summary>Identity of the sequence for dropout's random numbers.</summary>
    public ulong Sequence;
}

/// <summary>
/// softmax(bias + softcap(scale * q k^T)) v over packed sequences. Shapes: q [tokens, H, D], k [tokens, Hkv, D], v [tokens, Hkv, Dv],
/// o [tokens, H, Dv]; the last dimension is contiguous, the other strides are free (a slice of a fused qkv buffer is fine).
/// Query head h reads key/value head h / (H / Hkv).
/// </summary>
internal unsafe struct AttentionArgs<T> where T : unmanaged
{
    /// <summary>A window without a limit on that side.</summary>
    public const int Unlimited = int.MaxValue;

    /// <summary>Full attention: no window, no mask, no bias, scale 1.</summary>
    public AttentionArgs()
    {
        Left = Right = Unlimited;
        Scale = 1;
    }

    public T* Q, K, V, O;
    public nint QTokenStride, QHeadStride, KTokenStride, KHeadStride, VTokenStride, VHeadStride, OTokenStride, OHeadStride;

    /// <summary>Rows of q and o; the row length of <see cref="RowMax"/>.</summary>
    public long Tokens;

    public int Heads, KvHeads, HeadDim, ValueDim;

    public AttentionSegment<T>* Segments;
    public int SegmentCount;

    public double Scale;

    /// <summary>
    /// A query at position p sees the keys p - Left ... p + Right. Causal: Right = 0. A sliding window of w tokens: Left = w - 1.
    /// </summary>
    public int Left, Right;

    /// <summary>c of c * tanh(s / c), applied before biases and masks (Gemma 2); 0: none.</summary>
    public double SoftCap;

    /// <summary>[H]: adds -slope * |key position - query position| (ALiBi); null: none.</summary>
    public T* AlibiSlopes;

    /// <summary>[H, 2 * RelativeSpan + 1]: adds entry clip(key position - query position) + RelativeSpan (T5); null: none.</summary>
    public T* RelativeBias;

    public int RelativeSpan;

    /// <summary>Additive bias, -inf allowed, at strides over (segment, head, query, key), 0 to broadcast; null: none.</summary>
    public T* Bias;

    public nint BiasSegmentStride, BiasHeadStride, BiasQueryStride, BiasKeyStride;

    /// <summary>Boolean mask, 1 = visible, with strides as <see cref="Bias"/>; null: none.</summary>
    public byte* Mask;

    public nint MaskSegmentStride, MaskHeadStride, MaskQueryStride, MaskKeyStride;

    /// <summary>[H]: a logit per head that joins the softmax's denominator only (gpt-oss); null: none.</summary>
    public T* Sinks;

    /// <summary>Probability that a weight is dropped after the softmax; the rest grow by 1 / (1 - p). 0: none.</summary>
    public double Dropout;

    public ulong Seed;

    /// <summary>
    /// [H, Tokens] each, written by the forward pass, read by the backward pass; null for inference. The log-sum-exp is
    /// RowMax + log RowSum. Kept apart because the sum drowns in a large maximum (scores of 1e4, masks of -3e38).
    /// </summary>
    public T* RowMax, RowSum;

    public readonly int GroupSize => Heads / KvHeads;

    /// <summary>True when scores are more than scale * q k^T within a window.</summary>
    public readonly bool ShapesScores =>
        SoftCap != 0 || AlibiSlopes != null || RelativeBias != null || Bias != null || Mask != null;
}

/// <summary>
/// Gradients of <see cref="AttentionArgs{T}"/>. DQ, DK and DV (any may be null) are overwritten for the tokens of the segments; the gradients
/// of shared parameters (DBias, DRelativeBias, DSinks; null where not wanted) are added to.
/// </summary>
internal unsafe struct AttentionGradients<T> where T : unmanaged
{
    public T* DO, DQ, DK, DV;
    public nint DOTokenStride, DOHeadStride, DQTokenStride, DQHeadStride, DKTokenStride, DKHeadStride, DVTokenStride, DVHeadStride;

    /// <summary>With the strides of <see cref="AttentionArgs{T}.Bias"/>.</summary>
    public T* DBias;

    /// <summary>[H, 2 * RelativeSpan + 1].</summary>
    public T* DRelativeBias;

    /// <summary>[H].</summary>
    public T* DSinks;
}

/// <summary>The keys <c>[Begin, End)</c> that a query's window leaves; begin equals end when there are none.</summary>
internal readonly record struct KeyRange(long Begin, long End)
{
    public static unsafe KeyRange Of<T>(in AttentionArgs<T> args, in AttentionSegment<T> segment, long query) where T : unmanaged
    {
        long position = query + segment.Offset;
        long begin = args.Left == AttentionArgs<T>.Unlimited ? 0 : Math.Clamp(position - args.Left, 0, segment.KLength);
        long end = args.Right == AttentionArgs<T>.Unlimited ? segment.KLength : Math.Clamp(position + args.Right + 1, 0, segment.KLength);
        return new KeyRange(Math.Min(begin, end), end);
    }
}
