namespace Banyan.Data.NGrams;

/// <summary>
/// Interpolated Kneser-Ney: the highest order counts occurrences, lower orders count distinct left neighbours, and what discounting frees goes
/// to the next lower order, in the end to the uniform distribution. Order 1 is a smoothed unigram model.
/// </summary>
/// <remarks>
/// Kneser and Ney 1995; the modified form (three discounts for each order) by Chen and Goodman 1998. A context that was never seen is
/// shortened.
/// </remarks>
public sealed class KneserNeyModel : NGramModel
{
    private readonly NGramTable[] _tables; // [k]: order k + 1
    private readonly double[][] _discounts; // [k]: for counts 1, 2 and more

    private KneserNeyModel(IEnumerable<ReadOnlyMemory<int>> documents, int vocabularySize, int endToken, int order, double? discount)
        : base(order, vocabularySize, endToken)
    {
        _tables = new NGramTable[order];
        _tables[order - 1] = CountDocuments(documents);
        for (int k = order - 1; k > 0; k--)
        {
            _tables[k - 1] = _tables[k].Continuation(k + 1);
        }
        _discounts = [.. _tables.Select(t => discount is double d ? [d, d, d] : ModifiedDiscounts(t))];
    }

    /// <summary>Modified Kneser-Ney, whose discounts come from the counts themselves.</summary>
    /// <param name="documents">Token ids, without begin and end marks.</param>
    /// <param name="vocabularySize">Ids are below this; at most 2^21 - 2.</param>
    /// <param name="endToken">The id that ends every document.</param>
    /// <param name="order">1 to 3.</param>
    /// <exception cref="ArgumentException">There is no document, or an argument is out of its range.</exception>
    public static KneserNeyModel TrainModified(
        IEnumerable<ReadOnlyMemory<int>> documents, int vocabularySize, int endToken, int order = 3) =>
        new(documents, vocabularySize, endToken, order, null);

    /// <summary>Kneser-Ney with one absolute discount, 0 to 1, for all counts and orders.</summary>
    /// <inheritdoc cref="TrainModified"/>
    public static KneserNeyModel Train(
        IEnumerable<ReadOnlyMemory<int>> documents, int vocabularySize, int endToken, int order = 3, double discount = 0.75)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(discount, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(discount, 1);
        return new(documents, vocabularySize, endToken, order, discount);
    }

    /// <summary>The discounts of one order (1 to <see cref="NGramModel.Order"/>) for counts of 1, 2, and 3 or more.</summary>
    public IReadOnlyList<double> Discounts(int order) => _discounts[order - 1];

    private protected override double Probability(long context, int token) => Interpolate(Order, context, token);

    private double Interpolate(int order, long context, int token)
    {
        if (order == 0)
        {
            return 1.0 / VocabularySize;
        }
        double shorter = Interpolate(order - 1, order > 1 ? Last(context, order - 2) : 0, token);
        NGramTable table = _tables[order - 1];
        int at = table.FindContext(context);
        if (at < 0)
        {
            return shorter;
        }
        ref readonly ContextTotals totals = ref table.Totals(at);
        double[] d = _discounts[order - 1];
        int count = table.CountAfter(at, token);
        double kept = count == 0 ? 0 : Math.Max(count - d[Math.Min(count, 3) - 1], 0);
        double freed = (d[0] * totals.Once) + (d[1] * totals.Twice) + (d[2] * totals.More);
        return (kept + (freed * shorter)) / totals.Sum;
    }

    // Y = n1 / (n1 + 2 n2), D_k = k - (k + 1) Y n_{k+1} / n_k, cut to [0, k]; 0.5 where no n-gram occurs k times.
    private static double[] ModifiedDiscounts(NGramTable table)
    {
        double[] n = [.. Enumerable.Range(0, 5).Select(k => (double)table.CountOfCounts(k))];
        double y = n[1] == 0 ? 0 : n[1] / (n[1] + (2 * n[2]));
        return [.. Enumerable.Range(1, 3).Select(k => n[k] == 0 ? 0.5 : Math.Clamp(k - ((k + 1) * y * n[k + 1] / n[k]), 0, k))];
    }
}
