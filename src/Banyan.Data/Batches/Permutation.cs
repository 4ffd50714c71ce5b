namespace Banyan.Data.Batches;

/// <summary>
/// A shuffled order of 0..Count-1 that is computed instead of stored: element i costs no memory and no walk over the elements before it, so a
/// run continues anywhere.
/// </summary>
/// <remarks>
/// A Feistel network over the next even number of bits, with Philox as round function; a value outside the range is sent through again until
/// it falls inside (cycle walking: Black and Rogaway 2002), at most four times on average.
/// </remarks>
public readonly struct Permutation
{
    private const int Rounds = 6;

    private readonly ulong _seed, _sample;
    private readonly uint _stream;
    private readonly int _halfBits;

    /// <summary>A permutation of <paramref name="count"/> elements.</summary>
    /// <param name="count">At least 0, at most 2^62.</param>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="stream">What is shuffled, as in <see cref="CounterRandom"/>.</param>
    /// <param name="sample">Which of many permutations, for example the epoch.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is out of its range.</exception>
    public Permutation(long count, ulong seed, uint stream = 0, ulong sample = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, 1L << 62);
        (Count, _seed, _stream, _sample) = (count, seed, stream, sample);
        int bits = 64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)Math.Max(count - 1, 1));
        _halfBits = (bits + 1) / 2;
    }

    /// <summary>How many elements there are.</summary>
    public long Count { get; }

    /// <summary>The element at a place of the shuffled order.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The place is not in 0..<see cref="Count"/>-1.</exception>
    public long this[long index]
    {
        get
        {
            if ((ulong)index >= (ulong)Count)
            {
                throw new ArgumentOutOfRangeException(nameof(index), index, $"the permutation has {Count} elements");
            }
            do
            {
                index = Encrypt(index);
            }
            while (index >= Count);
            return index;
        }
    }

    private long Encrypt(long value)
    {
        uint mask = (uint)((1L << _halfBits) - 1);
        uint left = (uint)(value >> _halfBits), right = (uint)value & mask;
        for (int round = 0; round < Rounds; round++)
        {
            // The first word of the block that belongs to (permutation, round, right half).
            uint scrambled = CounterRandom.At(_seed, _stream, (_sample * Rounds) + (ulong)round, (long)right << 2);
            (left, right) = (right, (left ^ scrambled) & mask);
        }
        return ((long)left << _halfBits) | right;
    }
}
