namespace Banyan.Tokenizers.Models;

/// <summary>
/// Merges the symbols of one word: always the pair of lowest rank, the leftmost among equals, until none is left.
/// Short words scan for the minimum; long ones keep a heap, so that a megabyte without a space stays n log n.
/// </summary>
internal sealed class MergeWord
{
    private const int ScanLimit = 48;

    private int[] _ids = new int[64];
    private int[] _lengths = new int[64];
    private int[] _ranks = new int[64];
    private int[] _merged = new int[64];
    private int[] _next = [];
    private int[] _previous = [];
    private readonly PriorityQueue<(int At, int Left, int Right), long> _heap = new();

    public int Count { get; private set; }

    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    /// <summary>The bytes of the piece that each symbol stands for.</summary>
    public ReadOnlySpan<int> Lengths => _lengths.AsSpan(0, Count);

    public void Clear() => Count = 0;

    public void Add(int id, int length)
    {
        if (Count == _ids.Length)
        {
            int n = checked(Count * 2);
            Array.Resize(ref _ids, n);
            Array.Resize(ref _lengths, n);
            Array.Resize(ref _ranks, n);
            Array.Resize(ref _merged, n);
        }
        _ids[Count] = id;
        _lengths[Count++] = length;
    }

    public void Merge(MergeTable table)
    {
        if (Count <= ScanLimit)
        {
            MergeByScan(table);
        }
        else
        {
            MergeByHeap(table);
        }
    }

    /// <summary>BPE-dropout (Provilkov et al. 2020): a merge that comes up is left out with the given probability, until another succeeds.</summary>
    public void MergeWithDropout(MergeTable table, double dropout, Random random)
    {
        while (true)
        {
            int best = -1, bestRank = MergeTable.None, bestId = -1;
            for (int i = 0; i + 1 < Count; i++)
            {
                int rank = table.Rank(_ids[i], _ids[i + 1], out int id);
                if (rank < bestRank && (dropout < 1) && random.NextDouble() >= dropout)
                {
                    (best, bestRank, bestId) = (i, rank, id);
                }
            }
            if (best < 0)
            {
                return;
            }
            Join(best, bestId);
        }
    }

    private void MergeByScan(MergeTable table)
    {
        int[] ids = _ids, ranks = _ranks, merged = _merged;
        for (int i = 0; i + 1 < Count; i++)
        {
            ranks[i] = table.Rank(ids[i], ids[i + 1], out merged[i]);
        }
        while (Count > 1)
        {
            int best = 0;
            int bestRank = ranks[0];
            for (int i = 1; i + 1 < Count; i++)
            {
                if (ranks[i] < bestRank)
                {
                    (best, bestRank) = (i, ranks[i]);
                }
            }
            if (bestRank == MergeTable.None)
            {
                return;
            }
            Join(best, merged[best]);
            if (best > 0)
            {
                ranks[best - 1] = table.Rank(ids[best - 1], ids[best], out merged[best - 1]);
            }
            if (best + 1 < Count)
            {
                ranks[best] = table.Rank(ids[best], ids[best + 1], out merged[best]);
            }
        }
    }

    private void Join(int at, int id)
    {
        _ids[at] = id;
        _lengths[at] += _lengths[at + 1];
        int tail = Count - at - 2;
        Array.Copy(_ids, at + 2, _ids, at + 1, tail);
        Array.Copy(_lengths, at + 2, _lengths, at + 1, tail);
        if (tail > 0)
        {
            Array.Copy(_ranks, at + 2, _ranks, at + 1, tail - 1);
            Array.Copy(_merged, at + 2, _merged, at + 1, tail - 1);
        }
        Count--;
    }

    private void MergeByHeap(MergeTable table)
    {
        if (_next.Length < Count)
        {
            (_next, _previous) = (new int[_ids.Length], new int[_ids.Length]);
        }
        for (int i = 0; i < Count; i++)
        {
            (_next[i], _previous[i]) = (i + 1, i - 1);
        }
        _next[Count - 1] = -1;
        for (int i = 0; i + 1 < Count; i++)
        {
            Push(table, i, i + 1);
        }
        while (_heap.TryDequeue(out (int At, int Left, int Right) top, out _))
        {
            JoinLinked(table, top);
        }
        Compact();
    }

    private void JoinLinked(MergeTable table, (int At, int Left, int Right) top)
    {
        int at = top.At;
        int right = _next[at];
        if (_lengths[at] < 0 || right < 0 || _ids[at] != top.Left || _ids[right] != top.Right)
        {
            return; // stale: one of the two has merged with another since
        }
        table.Rank(top.Left, top.Right, out int id);
        _ids[at] = id;
        _lengths[at] += _lengths[right];
        _lengths[right] = -1;
        _next[at] = _next[right];
        if (_next[at] >= 0)
        {
            _previous[_next[at]] = at;
            Push(table, at, _next[at]);
        }
        if (_previous[at] >= 0)
        {
            Push(table, _previous[at], at);
        }
    }

    private void Push(MergeTable table, int left, int right)
    {
        int rank = table.Rank(_ids[left], _ids[right], out _);
        if (rank != MergeTable.None)
        {
            _heap.Enqueue((left, _ids[left], _ids[right]), ((long)rank << 32) | (uint)left);
        }
    }

    private void Compact()
    {
        int count = 0;
        for (int i = 0; i >= 0; i = _next[i])
        {
            _ids[count] = _ids[i];
            _lengths[count++] = _lengths[i];
        }
        Count = count;
    }
}
