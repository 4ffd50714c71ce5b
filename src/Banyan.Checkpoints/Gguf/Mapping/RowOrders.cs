namespace Banyan.Checkpoints.Gguf;

/// <summary>Orders of rows: for each row of the result, the row of the source that it is.</summary>
internal static class RowOrders
{
    /// <summary><paramref name="count"/> rows from <paramref name="first"/> on.</summary>
    public static IEnumerable<long> Range(long first, long count, long step = 1)
    {
        for (long i = 0; i < count; i++)
        {
            yield return first + i * step;
        }
    }

    /// <summary>Rows in the order (a, b, c) become (a, c, b).</summary>
    public static long[] Swap(long rows, long a, long b, long c)
    {
        var order = new long[rows];
        for (long to = 0; to < rows; to++)
        {
            (long i, long rest) = Math.DivRem(to, b * c);
            (long k, long j) = Math.DivRem(rest, b);
            order[to] = (i * b + j) * c + k;
        }
        return order;
    }

    /// <summary>Rows that lie by group, each of them with parts of the given relative sizes, are sorted by part.</summary>
    public static long[] Ungroup(long rows, int groups, IReadOnlyList<int> parts)
    {
        long perGroup = rows / groups, unit = perGroup / parts.Sum();
        var order = new List<long>((int)rows);
        long start = 0;
        foreach (int part in parts)
        {
            for (int g = 0; g < groups; g++)
            {
                order.AddRange(Range(g * perGroup + start, part * unit));
            }
            start += part * unit;
        }
        return [.. order];
    }

    /// <summary>The order that undoes <paramref name="orders"/>, which stand one after the other; -1 for rows that none of them has.</summary>
    public static long[] Invert(IEnumerable<long[]> orders, long rows)
    {
        var inverse = new long[rows];
        Array.Fill(inverse, -1);
        long at = 0;
        foreach (long row in orders.SelectMany(o => o))
        {
            inverse[row] = at++;
        }
        return inverse;
    }
}
