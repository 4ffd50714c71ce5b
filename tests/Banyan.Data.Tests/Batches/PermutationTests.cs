using Banyan.Data.Batches;
using FsCheck.Xunit;

namespace Banyan.Data.Tests.Batches;

public class PermutationTests
{
    [Property]
    public void Every_element_comes_once(ushort count, ulong seed, byte epoch)
    {
        int n = count % 700;
        var order = new Permutation(n, seed, 1, epoch);
        Assert.Equal(Enumerable.Range(0, n).Select(i => (long)i), Enumerable.Range(0, n).Select(i => order[i]).Order());
    }

    [Fact]
    public void Large_orders_stay_in_range_and_differ()
    {
        var order = new Permutation(1L << 62, 3);
        long[] some = [.. Enumerable.Range(0, 1000).Select(i => order[((1L << 62) - 1) - i])];
        Assert.All(some, v => Assert.InRange(v, 0, (1L << 62) - 1));
        Assert.Equal(1000, some.Distinct().Count());
    }

    [Fact]
    public void Seeds_streams_and_epochs_give_other_orders()
    {
        long[] Walk(ulong seed, uint stream, ulong epoch)
        {
            var order = new Permutation(1000, seed, stream, epoch);
            return [.. Enumerable.Range(0, 1000).Select(i => order[i])];
        }
        long[][] walks = [Walk(1, 0, 0), Walk(2, 0, 0), Walk(1, 1, 0), Walk(1, 0, 1)];
        for (int i = 0; i < walks.Length; i++)
        {
            Assert.Equal(walks[i], Walk(i == 1 ? 2u : 1u, i == 2 ? 1u : 0, i == 3 ? 1u : 0));
            for (int j = 0; j < i; j++)
            {
                Assert.InRange(walks[i].Zip(walks[j]).Count(p => p.First == p.Second), 0, 8); // expected: 1 fixed point
            }
        }
    }

    [Fact]
    public void Each_element_is_equally_likely_in_each_place()
    {
        const int n = 6, draws = 6000;
        int[,] counts = new int[n, n];
        for (ulong epoch = 0; epoch < draws; epoch++)
        {
            var order = new Permutation(n, 5, 0, epoch);
            for (int i = 0; i < n; i++)
            {
                counts[i, order[i]]++;
            }
        }
        double chi = 0, expected = draws / (double)n;
        foreach (int count in counts)
        {
            chi += (count - expected) * (count - expected) / expected;
        }
        Assert.InRange(chi, 8, 60); // 25 degrees of freedom: 0.01 % lies below 7.4 and above 61
    }

    [Fact]
    public void Ranges_are_checked()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Permutation(-1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Permutation(5, 0)[5]);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Permutation(5, 0)[-1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Permutation(0, 0)[0]);
    }
}
