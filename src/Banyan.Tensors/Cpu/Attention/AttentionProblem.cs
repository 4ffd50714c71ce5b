namespace Banyan.Cpu;

/// <summary>
/// One (sequence, key/value head) of a call, seen as a matrix of rows: row r is query r / G of the sequence under head r % G of the group,
/// so the heads that share keys share the work of loading them.
/// </summary>
internal readonly unsafe struct AttentionProblem(AttentionArgs<float>* args, int segment, int kvHead)
{
    public readonly AttentionArgs<float>* Args = args;
    public readonly AttentionSegment<float>* Segment = args->Segments + segment;
    public readonly int SegmentIndex = segment;
    public readonly int KvHead = kvHead;
    public readonly int Group = args->GroupSize;

    public long RowCount => Segment->QLength * Group;

    public long Query(long row) => row / Group;

    public int Head(long row) => KvHead * Group + (int)(row % Group);

    /// <summary>The row's place in arrays [tokens, H, ...] with these strides.</summary>
    public nint Offset(long row, nint tokenStride, nint headStride) =>
        (nint)(Segment->QStart + Query(row)) * tokenStride + Head(row) * headStride;

    /// <summary>The row's place in arrays [H, tokens].</summary>
    public nint StatIndex(long row) => (nint)(Head(row) * Args->Tokens + Segment->QStart + Query(row));

    public KeyRange Visible(long row) => KeyRange.Of(*Args, *Segment, Query(row));

    /// <summary>The keys that any of the rows <c>[begin, end)</c> sees: the window only moves forward.</summary>
    public KeyRange Visible(long begin, long end)
    {
        KeyRange first = Visible(begin), last = Visible(end - 1);
        return new KeyRange(Math.Min(first.Begin, last.Begin), Math.Max(first.End, last.End));
    }

    public nint KStride => Segment->K != null ? Segment->KTokenStride : Args->KTokenStride;

    public nint VStride => Segment->V != null ? Segment->VTokenStride : Args->VTokenStride;

    public float* Key(long key) => Segment->K != null
        ? Segment->K + (nint)(Segment->KStart + key) * Segment->KTokenStride + KvHead * Segment->KHeadStride
        : Args->K + (nint)(Segment->KStart + key) * Args->KTokenStride + KvHead * Args->KHeadStride;

    public float* Value(long key) => Segment->V != null
        ? Segment->V + (nint)(Segment->KStart + key) * Segment->VTokenStride + KvHead * Segment->VHeadStride
        : Args->V + (nint)(Segment->KStart + key) * Args->VTokenStride + KvHead * Args->VHeadStride;
}
