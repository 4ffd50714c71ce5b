namespace Banyan;

/// <summary>One sequence of a ragged batch: which query tokens it has, and which key tokens these see.</summary>
/// <param name="QueryStart">First row of the sequence in q and in the result.</param>
/// <param name="QueryLength">Number of queries.</param>
/// <param name="KeyStart">First row of the sequence in k and v (or in its own <see cref="Keys"/> and <see cref="Values"/>).</param>
/// <param name="KeyLength">Number of keys.</param>
/// <param name="Offset">Key position of query 0: with a cache the number of tokens before this step, else 0.</param>
public readonly record struct SequenceSpan(long QueryStart, long QueryLength, long KeyStart, long KeyLength, long Offset)
{
    /// <summary>Where this sequence's keys lie (a cache): (capacity, Hkv, D) in the type of q; null: in k. They get no gradient.</summary>
    public Tensor? Keys { get; init; }

    /// <summary>Where this sequence's values lie: (capacity, Hkv, Dv); null: in v. Given together with <see cref="Keys"/>.</summary>
    public Tensor? Values { get; init; }

    /// <summary>Where the sequence's flags start in <see cref="SequenceLayout.KeyMask"/>; -1 (the default): every key is visible.</summary>
    public long KeyMaskStart { get; init; } = -1;

    /// <summary>Identity of the sequence for dropout's random numbers. Default -1: its index in the batch.</summary>
    public long Id { get; init; } = -1;
}

/// <summary>
/// How the tokens of a ragged batch form sequences: attention never crosses from one to another, and the result of a sequence does not depend
/// on its neighbours. A loop keeps one and refills it with <see cref="Clear"/> and <see cref="Add(in SequenceSpan)"/>, which then allocate nothing.
/// </summary>
/// <remarks>It must not change between a forward pass and its backward pass.</remarks>
public sealed class SequenceLayout
{
    private SequenceSpan[] _sequences = new SequenceSpan[4];

    /// <summary>An empty layout.</summary>
    public SequenceLayout()
    {
    }

    /// <summary>Number of sequences.</summary>
    public int Count { get; private set; }

    /// <summary>Sequence <paramref name="index"/>.</summary>
    public SequenceSpan this[int index] => index < Count ? _sequences[index] : throw new ArgumentOutOfRangeException(nameof(index), index, $"the layout has {Count} sequences");

    /// <summary>Number of queries in all sequences.</summary>
    public long QueryTokens { get; private set; }

    /// <summary>The most queries that a sequence has.</summary>
    public long MaxQueryLength { get; private set; }

    /// <summary>The most keys that a sequence has.</summary>
    public long MaxKeyLength { get; private set; }

    /// <summary>Flags of keys, true = visible, which the sequences point into with <see cref="SequenceSpan.KeyMaskStart"/>; null: none.</summary>
    public bool[]? KeyMask { get; set; }

    /// <summary>Grows with every change.</summary>
    internal int Version { get; private set; }

    /// <summary>Removes every sequence.</summary>
    public void Clear()
    {
        Array.Clear(_sequences, 0, Count);
        (Count, QueryTokens, MaxQueryLength, MaxKeyLength) = (0, 0, 0, 0);
        KeyMask = null;
        Version++;
    }

    /// <summary>Appends a sequence.</summary>
    /// <exception cref="ArgumentException">A number is negative, or only one of Keys and Values is given.</exception>
    public void Add(in SequenceSpan sequence)
    {
        if (sequence.QueryStart < 0 || sequence.QueryLength < 0 || sequence.KeyStart < 0 || sequence.KeyLength < 0)
        {
            throw new ArgumentException($"sequence layout: starts and lengths must not be negative, given {sequence}");
        }
        if (sequence.Keys is null != sequence.Values is null)
        {
            throw new ArgumentException("sequence layout: Keys and Values are given together");
        }
        if (Count == _sequences.Length)
        {
            Array.Resize(ref _sequences, 2 * Count);
        }
        _sequences[Count++] = sequence;
        QueryTokens += sequence.QueryLength;
        MaxQueryLength = Math.Max(MaxQueryLength, sequence.QueryLength);
        MaxKeyLength = Math.Max(MaxKeyLength, sequence.KeyLength);
        Version++;
    }

    /// <summary>Sequences of the given lengths, one after another; each attends to itself.</summary>
    public static SequenceLayout Packed(params ReadOnlySpan<int> lengths)
    {
        var layout = new SequenceLayout();
        layout.Pack(lengths);
        return layout;
    }

    /// <summary>Becomes what <see cref="Packed"/> gives.</summary>
    public void Pack(params ReadOnlySpan<int> lengths)
    {
        Clear();
        long start = 0;
        foreach (int length in lengths)
        {
            Add(new SequenceSpan(start, length, start, length, 0));
            start += length;
        }
    }

    /// <summary>A [batch, length] rectangle; each row attends to itself.</summary>
    /// <param name="batch">Number of sequences.</param>
    /// <param name="length">Tokens of each.</param>
    /// <param name="keyMask">batch * length flags, true = visible; null: all are.</param>
    public static SequenceLayout Batch(int batch, int length, bool[]? keyMask = null) => Batch(batch, length, length, keyMask);

    /// <summary>A [batch, queries] rectangle that attends to a [batch, keys] rectangle; positions are aligned at the start.</summary>
    /// <param name="batch">Number of sequences.</param>
    /// <param name="queries">Queries of each.</param>
    /// <param name="keys">Keys of each.</param>
    /// <param name="keyMask">batch * keys flags, true = visible; null: all are.</param>
    public static SequenceLayout Batch(int batch, int queries, int keys, bool[]? keyMask = null)
    {
        if (keyMask is not null && keyMask.LongLength != (long)batch * keys)
        {
            throw new ArgumentException($"sequence layout: the key mask has {keyMask.LongLength} flags, expected {batch} x {keys}");
        }
        var layout = new SequenceLayout { KeyMask = keyMask };
        for (long b = 0; b < batch; b++)
        {
            layout.Add(new SequenceSpan(b * queries, queries, b * keys, keys, 0) { KeyMaskStart = keyMask is null ? -1 : b * keys });
        }
        return layout;
    }

    /// <summary>The same sequences cut at each multiple of <paramref name="chunk"/> positions: a query sees keys of its own chunk only.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The chunk is not positive.</exception>
    internal SequenceLayout InChunks(int chunk)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(chunk, 1);
        var pieces = new SequenceLayout { KeyMask = KeyMask };
        for (int i = 0; i < Count; i++)
        {
            SequenceSpan s = _sequences[i];
            for (long query = 0, next; query < s.QueryLength; query = next)
            {
                long index = (s.Offset + query) / chunk, first = index * chunk;                                    // of the chunk, and its first position
                next = Math.Min(first + chunk - s.Offset, s.QueryLength);
                pieces.Add(s with
                {
                    QueryStart = s.QueryStart + query, QueryLength = next - query, KeyStart = s.KeyStart + first, KeyLength = Math.Clamp(s.KeyLength - first, 0, chunk),
                    Offset = s.Offset + query - first, KeyMaskStart = s.KeyMaskStart < 0 ? -1 : s.KeyMaskStart + first, Id = (s.Id < 0 ? i : s.Id) + (index << 32),
                });
            }
        }
        return pieces;
    }
}
