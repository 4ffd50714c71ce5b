namespace Banyan.Data.NGrams;

/// <summary>
/// Relative frequencies, with a fixed factor for every token by which the context is shortened until the n-gram occurs. The scores do not
/// sum to 1 (Brants et al. 2007).
/// </summary>
public sealed class StupidBackoffModel : NGramModel
{
    private readonly NGramTable[] _tables;
    private readonly double _factor;

    /// <summary>Counts the documents.</summary>
    /// <param name="documents">Token ids, without begin and end marks.</param>
    /// <param name="vocabularySize">Ids are below this; at most 2^21 - 2.</param>
    /// <param name="endToken">The id that ends every document.</param>
    /// <param name="order">1 to 3.</param>
    /// <param name="factor">The paper's 0.4.</param>
    /// <exception cref="ArgumentException">There is no document, or an argument is out of its range.</exception>
    public StupidBackoffModel(
        IEnumerable<ReadOnlyMemory<int>> documents, int vocabularySize, int endToken, int order = 3, double factor = 0.4)
        : base(order, vocabularySize, endToken)
    {
        _factor = factor;
        _tables = new NGramTable[order];
        _tables[order - 1] = CountDocuments(documents);
        for (int k = order - 1; k > 0; k--)
        {
            _tables[k - 1] = _tables[k].Shorter(k + 1);
        }
    }

    private protected override double Probability(long context, int token)
    {
        double weight = 1;
        for (int order = Order; order > 0; order--, weight *= _factor)
        {
            NGramTable table = _tables[order - 1];
            int at = table.FindContext(Last(context, order - 1));
            int count = at < 0 ? 0 : table.CountAfter(at, token);
            if (count > 0)
            {
                return weight * count / table.Totals(at).Sum;
            }
        }
        return 0;
    }
}
