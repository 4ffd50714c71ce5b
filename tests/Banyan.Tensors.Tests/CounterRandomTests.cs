using FsCheck.Xunit;

namespace Banyan.Tensors.Tests;

public class CounterRandomTests
{
    // Published with Random123: tests/kat_vectors, rows "philox4x32 10".
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u,
        0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Philox_gives_the_published_words(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint r0, uint r1, uint r2, uint r3) =>
        Assert.Equal((r0, r1, r2, r3), CounterRandom.Philox(c0, c1, c2, c3, k0, k1));

    [Fact]
    public void The_cursor_reads_the_counter_block_in_order()
    {
        // counter = (position / 4, stream, sample low, sample high), key = seed
        var random = new CounterRandom(0x299f31d0_a4093822, 0x85a308d3, 0x03707344_13198a2e, 0L);
        var expected = CounterRandom.Philox(0, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0);
        Assert.Equal(expected, (random.NextUInt(), random.NextUInt(), random.NextUInt(), random.NextUInt()));
        Assert.Equal(CounterRandom.Philox(1, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0).Item1, random.NextUInt());
    }

    [Property]
    public void Any_position_can_be_reached_at_once(ulong seed, uint stream, ulong sample, ushort start)
    {
        var walk = new CounterRandom(seed, stream, sample);
        for (int i = 0; i < start % 67; i++)
        {
            walk.NextUInt();
        }
        uint word = CounterRandom.At(seed, stream, sample, walk.Position);
        Assert.Equal(word, walk.NextUInt());
    }

    [Fact]
    public void Integers_are_uniform_and_in_range()
    {
        var random = new CounterRandom(7);
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++)
        {
            counts[random.NextInt(7)]++;
            Assert.InRange(random.NextLong(5_000_000_000), 0, 4_999_999_999);
        }
        // chi-square with 6 degrees of freedom: 22.5 is exceeded with probability 0.001
        Assert.True(counts.Sum(c => (c - 10_000.0) * (c - 10_000.0) / 10_000.0) < 22.5);
    }

    [Fact]
    public void Large_ranges_have_no_bias()
    {
        // With n = 3 * 2^29 a plain modulus of 32 bits would give the lower third twice as often.
        var random = new CounterRandom(8);
        const int n = 3 << 29;
        int low = 0;
        for (int i = 0; i < 30_000; i++)
        {
            low += random.NextInt(n) < n / 3 ? 1 : 0;
        }
        Assert.InRange(low, 9_700, 10_300);
    }

    [Fact]
    public void Floats_and_normals_have_their_moments()
    {
        var random = new CounterRandom(9, 1, 2);
        double u = 0, z = 0, z2 = 0, z4 = 0;
        const int n = 200_000;
        for (int i = 0; i < n; i++)
        {
            float f = random.NextFloat();
            Assert.InRange(f, 0f, 0.99999994f);
            double x = random.NextNormal();
            (u, z, z2, z4) = (u + f, z + x, z2 + (x * x), z4 + (x * x * x * x));
        }
        Assert.Equal(0.5, u / n, 0.005);
        Assert.Equal(0, z / n, 0.01);
        Assert.Equal(1, z2 / n, 0.02);
        Assert.Equal(3, z4 / n, 0.12);
    }

    [Fact]
    public void Seeds_streams_and_samples_differ()
    {
        var words = new HashSet<uint>();
        for (uint i = 1; i <= 100; i++)
        {
            words.Add(CounterRandom.At(i, 0, 0, 0));
            words.Add(CounterRandom.At(0, i, 0, 0));
            words.Add(CounterRandom.At(0, 0, i, 0));
            words.Add(CounterRandom.At(0, 0, 0, i));
        }
        Assert.Equal(400, words.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public void An_empty_range_is_refused(int max)
    {
        var random = new CounterRandom(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => random.NextInt(max));
        Assert.Throws<ArgumentOutOfRangeException>(() => random.NextLong(max));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CounterRandom(1, position: -1));
    }
}
