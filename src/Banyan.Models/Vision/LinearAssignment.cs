namespace Banyan.Models;

/// <summary>
/// The cheapest pairing of rows with columns (Kuhn 1955, "The Hungarian method for the assignment problem"), by shortest augmenting paths with potentials (Jonker and Volgenant 1987):
/// O(rows^2 columns).
/// </summary>
internal static class LinearAssignment
{
    /// <summary>The column of each row, all different.</summary>
    /// <param name="cost">Costs [row, column], at most as many rows as columns, all finite.</param>
    public static int[] Solve(double[,] cost)
    {
        (int rows, int columns) = (cost.GetLength(0), cost.GetLength(1));
        if (rows > columns)
        {
            throw new ArgumentException($"assignment: {rows} rows need at least as many columns, given {columns}");
        }
        // Index 0 stands for "none": row i is i + 1, column j is j + 1.
        var rowPrice = new double[rows + 1];
        var columnPrice = new double[columns + 1];
        int[] rowOf = new int[columns + 1], before = new int[columns + 1];
        for (int row = 1; row <= rows; row++)
        {
            double[] distance = [.. Enumerable.Repeat(double.PositiveInfinity, columns + 1)];
            var done = new bool[columns + 1];
            int at = 0;
            rowOf[0] = row;
            while (rowOf[at] != 0)
            {
                done[at] = true;
                int from = rowOf[at], next = 0;
                double least = double.PositiveInfinity;
                for (int j = 1; j <= columns; j++)
                {
                    if (done[j])
                    {
                        continue;
                    }
                    double reduced = cost[from - 1, j - 1] - rowPrice[from] - columnPrice[j];
                    if (reduced < distance[j])
                    {
                        (distance[j], before[j]) = (reduced, at);
                    }
                    if (distance[j] < least)
                    {
                        (least, next) = (distance[j], j);
                    }
                }
                if (next == 0)
                {
                    throw new ArgumentException("assignment: a cost is not finite");
                }
                for (int j = 0; j <= columns; j++)
                {
                    if (done[j])
                    {
                        rowPrice[rowOf[j]] += least;
                        columnPrice[j] -= least;
                    }
                    else
                    {
                        distance[j] -= least;
                    }
                }
                at = next;
            }
            for (; at != 0; at = before[at])
            {
                rowOf[at] = rowOf[before[at]];
            }
        }
        var result = new int[rows];
        for (int j = 1; j <= columns; j++)
        {
            if (rowOf[j] != 0)
            {
                result[rowOf[j] - 1] = j - 1;
            }
        }
        return result;
    }
}
