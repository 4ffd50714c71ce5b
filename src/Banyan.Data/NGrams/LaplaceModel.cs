namespace Banyan.Data.NGrams;

/// <summary>Add-one smoothing: (count + 1) / (context count + vocabulary size). With order 1 it is the plain unigram model.</summary>
public sealed class LaplaceModel : NGramModel
{
    private readonly NGramTable _table;

    /// <summary>Counts the documents.</summary>
    /// <param name="documents">Token ids, without begin and end marks.</param>
    /// <param name="vocabularySize">Ids are below this; at most 2^21 - 2.</param>
    /// <param name="endToken">The id that ends every document.</param>
    /// <param name="order">1 to 3.</param>
    /// <exception cref="ArgumentException">There is no document, or an argument is out of its range.</exception>
    public LaplaceModel(IEnumerable<ReadOnlyMemory<int>> documents, int vocabularySize, int endToken, int order = 3)
        : base(order, vocabularySize, endToken) => _table = CountDocuments(documents);

    private protected override double Probability(long context, int token)
    {
        int at = _table.FindContext(context);
        return at < 0
            ? 1.0 / VocabularySize
            : (_table.CountAfter(at, token) + 1.0) / (_table.Totals(at).Sum + VocabularySize);
    }
}
