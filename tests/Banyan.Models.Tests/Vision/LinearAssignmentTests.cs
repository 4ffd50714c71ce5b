using Xunit;

namespace Banyan.Models.Tests.Vision;

/// <summary>The cheapest pairing against all pairings.</summary>
public sealed class LinearAssignmentTests
{
    [Theory]
    [InlineData(1, 1), InlineData(1, 5), InlineData(3, 3), InlineData(4, 6), InlineData(6, 6)]
    public void CostsAsLittleAsTheBestOfAll(int rows, int columns)
    {
        for (ulong seed = 0; seed < 50; seed++)
        {
            var random = new CounterRandom(seed);
            var cost = new double[rows, columns];
            for (int i = 0; i < rows * columns; i++)
            {
                cost[i / columns, i % columns] = seed % 2 == 0 ? random.NextDouble() - 0.5 : random.NextInt(4);   // with and without ties
            }
            int[] chosen = LinearAssignment.Solve(cost);
            Assert.Equal(rows, chosen.Distinct().Count());
            Assert.Equal(Best(cost, 0, new bool[columns]), chosen.Select((c, r) => cost[r, c]).Sum(), 1e-12);
        }
    }

    [Fact]
    public void NoRowsNeedNothing() => Assert.Empty(LinearAssignment.Solve(new double[0, 3]));

    [Fact]
    public void RefusesWhatHasNoAnswer()
    {
        Assert.Throws<ArgumentException>(() => LinearAssignment.Solve(new double[2, 1]));
        Assert.Throws<ArgumentException>(() => LinearAssignment.Solve(new[,] { { double.NaN } }));
    }

    private static double Best(double[,] cost, int row, bool[] taken)
    {
        if (row == cost.GetLength(0))
        {
            return 0;
        }
        double best = double.PositiveInfinity;
        for (int c = 0; c < taken.Length; c++)
        {
            if (!taken[c])
            {
                taken[c] = true;
                best = Math.Min(best, cost[row, c] + Best(cost, row + 1, taken));
                taken[c] = false;
            }
        }
        return best;
    }
}
