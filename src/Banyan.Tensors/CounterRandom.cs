namespace Banyan;

/// <summary>
/// Counter-based random numbers (Philox4x32-10): every number is a pure function of (seed, stream, sample, position), so a run can be
/// resumed, re-batched or spread over threads and still draws the same numbers. The struct is a cursor that walks the positions of one sample.
/// </summary>
/// <remarks>
/// Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). The key is the seed; the counter holds
/// (position / 4, stream, sample). It is a mutable value: pass it by <c>ref</c>, a copy draws the same numbers again.
/// </remarks>
public struct CounterRandom
{
    private readonly ulong _seed;
    private readonly ulong _sample;
    private readonly uint _stream;
    private long _position;
    private uint _w0, _w1, _w2, _w3;

    /// <summary>A cursor at one position.</summary>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="stream">What the numbers are for (initialisation, dropout of layer 3, shuffling...): streams are independent.</param>
    /// <param name="sample">The global index of the sample (document, sequence, step), not its place in a batch.</param>
    /// <param name="position">The first 32-bit word to draw, below 2^34.</param>
    /// <exception cref="ArgumentOutOfRangeException">The position is negative or at least 2^34.</exception>
    public CounterRandom(ulong seed, uint stream = 0, ulong sample = 0, long position = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(position, 1L << 34);
        (_seed, _stream, _sample, _position) = (seed, stream, sample, position);
        Refill();
    }

    /// <summary>How many 32-bit words lie before the next one.</summary>
    public readonly long Position => _position;

    /// <summary>The 32-bit word at one position, without a cursor.</summary>
    public static uint At(ulong seed, uint stream, ulong sample, long position) =>
        new CounterRandom(seed, stream, sample, position).NextUInt();

    /// <summary>A uniform 32-bit word.</summary>
    public uint NextUInt()
    {
        uint word = (_position & 3) switch { 0 => _w0, 1 => _w1, 2 => _w2, _ => _w3 };
        _position++;
        if ((_position & 3) == 0)
        {
            Refill();
        }
        return word;
    }

    /// <summary>A uniform 64-bit word (two positions, low half first).</summary>
    public ulong NextULong() => NextUInt() | ((ulong)NextUInt() << 32);

    /// <summary>A uniform float in [0, 1): a multiple of 2^-24.</summary>
    public float NextFloat() => (NextUInt() >> 8) * (1f / (1 << 24));

    /// <summary>A uniform double in [0, 1): a multiple of 2^-53 (two positions).</summary>
    public double NextDouble() => (NextULong() >> 11) * (1.0 / (1L << 53));

    /// <summary>
    /// A standard normal value (Box and Muller's cosine branch). It always takes two positions, so value i of a sample starts at position 2 i.
    /// </summary>
    public float NextNormal()
    {
        double u = (NextUInt() + 1.0) * (1.0 / 4294967296.0); // (0, 1]: the logarithm is finite
        double v = NextUInt() * (1.0 / 4294967296.0);
        return (float)(Math.Sqrt(-2 * Math.Log(u)) * Math.Cos(2 * Math.PI * v));
    }

    /// <summary>A uniform integer in [0, <paramref name="exclusiveMax"/>), without bias; usually one position, rarely more.</summary>
    /// <remarks>Lemire: "Fast random integer generation in an interval" (2019).</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="exclusiveMax"/> is not positive.</exception>
    public int NextInt(int exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMax);
        uint n = (uint)exclusiveMax;
        ulong product = (ulong)NextUInt() * n;
        if ((uint)product < n)
        {
            uint rejected = (0u - n) % n; // 2^32 mod n low words would make some results likelier
            while ((uint)product < rejected)
            {
                product = (ulong)NextUInt() * n;
            }
        }
        return (int)(product >> 32);
    }

    /// <summary>A uniform integer in [0, <paramref name="exclusiveMax"/>), without bias, for ranges beyond 2^31.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="exclusiveMax"/> is not positive.</exception>
    public long NextLong(long exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMax);
        ulong n = (ulong)exclusiveMax;
        ulong high = Math.BigMul(NextULong(), n, out ulong low);
        ulong rejected = (0ul - n) % n;
        while (low < rejected)
        {
            high = Math.BigMul(NextULong(), n, out low);
        }
        return (long)high;
    }

    private void Refill()
    {
        uint block = (uint)(_position >> 2);
        (_w0, _w1, _w2, _w3) = Philox(
            block, _stream, (uint)_sample, (uint)(_sample >> 32), (uint)_seed, (uint)(_seed >> 32));
        // A refill at a position inside a block happens only in the constructor; the switch above then picks the right word.
    }

    /// <summary>Philox4x32-10: ten rounds over the counter (c0..c3) under the key (k0, k1).</summary>
    internal static (uint, uint, uint, uint) Philox(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = 0xD2511F53ul * c0;
            ulong p1 = 0xCD9E8D57ul * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        return (c0, c1, c2, c3);
    }
}
