using System.Numerics;
using Banyan.Data.Corpora;

namespace Banyan.Data.Batches;

/// <summary>A stretch of tokens in one sequence: <paramref name="Length"/> inputs from <paramref name="Start"/> on, and a target behind each.</summary>
internal readonly record struct PackedPiece(long Start, int Length);

/// <summary>Which pieces share a sequence in one epoch. Immutable.</summary>
internal sealed class PackingPlan
{
    private readonly ulong _seed;
    private readonly long _epoch;
    private readonly PackedPiece[] _pieces; // grouped by sequence
    private readonly int[] _starts; // sequence i owns pieces _starts[i].._starts[i + 1]

    private PackingPlan(ulong seed, long epoch, PackedPiece[] pieces, int[] starts) =>
        (_seed, _epoch, _pieces, _starts) = (seed, epoch, pieces, starts);

    public int Sequences => _starts.Length - 1;

    /// <summary>How many places hold a token to learn from.</summary>
    public long Places => _pieces.Sum(p => (long)p.Length);

    public bool IsFor(ulong seed, long epoch) => (_seed, _epoch) == (seed, epoch);

    public ReadOnlySpan<PackedPiece> Pieces(long sequence) => _pieces.AsSpan(_starts[sequence].._starts[sequence + 1]);

    public static PackingPlan Make(TokenCorpus corpus, int capacity, ulong seed, long epoch)
    {
        PackedPiece[] pieces = LongestFirst(Cut(corpus, capacity, seed, epoch), capacity);
        int[] sequences = BestFit(pieces, capacity, out int count);
        (PackedPiece[] grouped, int[] starts) = Group(pieces, sequences, count);
        return new PackingPlan(seed, epoch, grouped, starts);
    }

    // Shuffled, so that the stable sort below leaves documents of one length in another order in every epoch.
    private static List<PackedPiece> Cut(TokenCorpus corpus, int capacity, ulong seed, long epoch)
    {
        var pieces = new List<PackedPiece>();
        var order = new Permutation(corpus.DocumentCount, seed, DataStreams.DocumentOrder, (ulong)epoch);
        for (long i = 0; i < order.Count; i++)
        {
            long start = corpus.DocumentStart(order[i]), last = corpus.DocumentStart(order[i] + 1) - 1;
            for (; start < last; start += capacity)
            {
                pieces.Add(new PackedPiece(start, (int)Math.Min(capacity, last - start)));
            }
        }
        return pieces;
    }

    // A counting sort: stable, and linear.
    private static PackedPiece[] LongestFirst(List<PackedPiece> pieces, int capacity)
    {
        int[] next = new int[capacity + 2];
        pieces.ForEach(p => next[capacity - p.Length + 1]++);
        for (int i = 1; i < next.Length; i++)
        {
            next[i] += next[i - 1];
        }
        var sorted = new PackedPiece[pieces.Count];
        pieces.ForEach(p => sorted[next[capacity - p.Length]++] = p);
        return sorted;
    }

    // Each piece goes where the least room remains behind it. Sequences wait in one stack for each amount of room.
    private static int[] BestFit(PackedPiece[] pieces, int capacity, out int count)
    {
        var waiting = new Stack<int>?[capacity + 1];
        ulong[] occupied = new ulong[(capacity / 64) + 1]; // bit r: some sequence has room r
        int[] sequences = new int[pieces.Length];
        count = 0;
        for (int i = 0; i < pieces.Length; i++)
        {
            int room = FirstSet(occupied, pieces[i].Length);
            sequences[i] = room < 0 ? count++ : Take(waiting, occupied, room);
            Put(waiting, occupied, (room < 0 ? capacity : room) - pieces[i].Length, sequences[i]);
        }
        return sequences;
    }

    private static int Take(Stack<int>?[] waiting, ulong[] occupied, int room)
    {
        int sequence = waiting[room]!.Pop();
        if (waiting[room]!.Count == 0)
        {
            occupied[room / 64] &= ~(1ul << (room % 64));
        }
        return sequence;
    }

    private static void Put(Stack<int>?[] waiting, ulong[] occupied, int room, int sequence)
    {
        if (room > 0)
        {
            (waiting[room] ??= new()).Push(sequence);
            occupied[room / 64] |= 1ul << (room % 64);
        }
    }

    private static int FirstSet(ulong[] bits, int from)
    {
        ulong word = bits[from / 64] & (~0ul << (from % 64));
        for (int i = from / 64; ; word = bits[i])
        {
            if (word != 0)
            {
                return (i * 64) + BitOperations.TrailingZeroCount(word);
            }
            if (++i == bits.Length)
            {
                return -1;
            }
        }
    }

    private static (PackedPiece[] Grouped, int[] Starts) Group(PackedPiece[] pieces, int[] sequences, int count)
    {
        int[] starts = new int[count + 1];
        foreach (int sequence in sequences)
        {
            starts[sequence + 1]++;
        }
        for (int i = 1; i <= count; i++)
        {
            starts[i] += starts[i - 1];
        }
        int[] next = starts[..count];
        var grouped = new PackedPiece[pieces.Length];
        for (int i = 0; i < pieces.Length; i++)
        {
            grouped[next[sequences[i]]++] = pieces[i];
        }
        return (grouped, starts);
    }
}
