namespace Banyan.Data.NGrams;

/// <summary>
/// The n-grams of one order with their counts: sorted packed keys (21 bits per token, the last token lowest), so that the n-grams of one
/// context lie side by side and are found by two binary searches.
/// </summary>
internal sealed class NGramTable
{
    public const int TokenBits = 21;

    private readonly long[] _keys;
    private readonly int[] _counts;
    private readonly long[] _contexts;
    private readonly int[] _starts; // context i owns keys _starts[i].._starts[i + 1]
    private readonly ContextTotals[] _totals;

    /// <summary>Counts equal keys; sorts <paramref name="occurrences"/> in place.</summary>
    public NGramTable(long[] occurrences)
    {
        Array.Sort(occurrences);
        (_keys, _counts) = RunLengths(occurrences);
        (_contexts, _starts) = Contexts(_keys);
        _totals = [.. Enumerable.Range(0, _contexts.Length).Select(Total)];
    }

    /// <summary>How many different n-grams occur.</summary>
    public int Count => _keys.Length;

    /// <summary>The table one order lower whose counts are the numbers of distinct left neighbours (Kneser and Ney's continuation counts).</summary>
    public NGramTable Continuation(int order) => new([.. _keys.Select(k => k & Mask(order - 1))]);

    /// <summary>The table one order lower with counts of occurrences.</summary>
    public NGramTable Shorter(int order)
    {
        var occurrences = new List<long>(_keys.Length * 2);
        for (int i = 0; i < _keys.Length; i++)
        {
            occurrences.AddRange(Enumerable.Repeat(_keys[i] & Mask(order - 1), _counts[i]));
        }
        return new([.. occurrences]);
    }

    /// <summary>How many different n-grams occur exactly <paramref name="count"/> times.</summary>
    public long CountOfCounts(int count) => _counts.LongCount(c => c == count);

    /// <summary>The index of a context, or a negative number when it never occurs.</summary>
    public int FindContext(long context) => Array.BinarySearch(_contexts, context);

    /// <summary>What follows a context, in sums.</summary>
    public ref readonly ContextTotals Totals(int context) => ref _totals[context];

    /// <summary>How often a token follows the context with the given index.</summary>
    public int CountAfter(int context, int token)
    {
        int start = _starts[context];
        int at = Array.BinarySearch(_keys, start, _starts[context + 1] - start, (_contexts[context] << TokenBits) | (long)token);
        return at < 0 ? 0 : _counts[at];
    }

    private static long Mask(int tokens) => (1L << (TokenBits * tokens)) - 1;

    private static (long[] Keys, int[] Counts) RunLengths(long[] sorted)
    {
        var keys = new List<long>();
        var counts = new List<int>();
        for (int i = 0, end; i < sorted.Length; i = end)
        {
            end = i + 1;
            while (end < sorted.Length && sorted[end] == sorted[i])
            {
                end++;
            }
            keys.Add(sorted[i]);
            counts.Add(end - i);
        }
        return ([.. keys], [.. counts]);
    }

    private static (long[] Contexts, int[] Starts) Contexts(long[] keys)
    {
        var contexts = new List<long>();
        var starts = new List<int>();
        for (int i = 0; i < keys.Length; i++)
        {
            long context = keys[i] >> TokenBits;
            if (contexts.Count == 0 || contexts[^1] != context)
            {
                contexts.Add(context);
                starts.Add(i);
            }
        }
        starts.Add(keys.Length);
        return ([.. contexts], [.. starts]);
    }

    private ContextTotals Total(int context)
    {
        long sum = 0;
        int once = 0, twice = 0, more = 0;
        foreach (int count in _counts.AsSpan(_starts[context].._starts[context + 1]))
        {
            sum += count;
            once += count == 1 ? 1 : 0;
            twice += count == 2 ? 1 : 0;
            more += count > 2 ? 1 : 0;
        }
        return new ContextTotals(sum, once, twice, more);
    }
}

/// <summary>What follows a context: occurrences, and how many different tokens follow once, twice, more often.</summary>
internal readonly record struct ContextTotals(long Sum, int Once, int Twice, int More);
