namespace Banyan.Data.NGrams;

/// <summary>
/// A language model that sees the last one or two tokens only: the baselines that a neural model has to beat. Documents are padded with
/// begin marks (never predicted) and closed by an end token (predicted).
/// </summary>
public abstract class NGramModel
{
    private readonly int _begin; // packed in place of a token before the start
    private readonly int _unknown; // packed in place of a context token outside the vocabulary: it has never been seen

    private protected NGramModel(int order, int vocabularySize, int endToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(order, 3);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vocabularySize, (1 << NGramTable.TokenBits) - 2);
        ArgumentOutOfRangeException.ThrowIfNegative(endToken);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(endToken, vocabularySize);
        (Order, VocabularySize, EndToken) = (order, vocabularySize, endToken);
        (_begin, _unknown) = (vocabularySize, vocabularySize + 1);
    }

    /// <summary>1 (unigram), 2 or 3 (trigram): the predicted token and the tokens of context before it.</summary>
    public int Order { get; }

    /// <summary>Token ids are 0 to this number - 1.</summary>
    public int VocabularySize { get; }

    /// <summary>The token that ends every document; it is part of the vocabulary.</summary>
    public int EndToken { get; }

    /// <summary>
    /// The probability (for <see cref="StupidBackoffModel"/>: the score) of a token behind a context. Of the context only the last
    /// <see cref="Order"/> - 1 tokens count; where it is shorter, the document starts there.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The token lies outside the vocabulary.</exception>
    public double Probability(ReadOnlySpan<int> context, int token)
    {
        CheckToken(token);
        long packed = Begin();
        foreach (int id in context.Length < Order ? context : context[^(Order - 1)..])
        {
            packed = Push(packed, id);
        }
        return Probability(packed, token);
    }

    /// <summary>-ln of the probability of a document and the end token behind it, in nats: a sum over length + 1 predictions.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A token lies outside the vocabulary.</exception>
    public double Nll(ReadOnlySpan<int> document)
    {
        double sum = 0;
        long context = Begin();
        foreach (int token in document)
        {
            CheckToken(token);
            sum -= Math.Log(Probability(context, token));
            context = Push(context, token);
        }
        return sum - Math.Log(Probability(context, EndToken));
    }

    /// <summary>exp of the mean <see cref="Nll"/> per predicted token (end tokens count).</summary>
    public double Perplexity(IEnumerable<ReadOnlyMemory<int>> documents)
    {
        double sum = 0;
        long tokens = 0;
        foreach (ReadOnlyMemory<int> document in documents)
        {
            sum += Nll(document.Span);
            tokens += document.Length + 1;
        }
        return Math.Exp(sum / tokens);
    }

    /// <summary>The probability behind a packed context of <see cref="Order"/> - 1 tokens.</summary>
    private protected abstract double Probability(long context, int token);

    /// <summary>The last <paramref name="tokens"/> tokens of a packed context.</summary>
    private protected static long Last(long context, int tokens) => context & ((1L << (NGramTable.TokenBits * tokens)) - 1);

    /// <summary>Every n-gram of the documents at every predicted position, packed.</summary>
    private protected NGramTable CountDocuments(IEnumerable<ReadOnlyMemory<int>> documents)
    {
        var occurrences = new List<long>();
        foreach (ReadOnlyMemory<int> document in documents)
        {
            long context = Begin();
            foreach (int token in document.Span)
            {
                CheckToken(token);
                occurrences.Add((context << NGramTable.TokenBits) | (long)token);
                context = Push(context, token);
            }
            occurrences.Add((context << NGramTable.TokenBits) | (long)EndToken);
        }
        return occurrences.Count > 0 ? new NGramTable([.. occurrences])
            : throw new ArgumentException("an n-gram model needs at least one training document, got none", nameof(documents));
    }

    private long Begin()
    {
        long context = 0;
        for (int i = 1; i < Order; i++)
        {
            context = (context << NGramTable.TokenBits) | (long)_begin;
        }
        return context;
    }

    private long Push(long context, int token) =>
        Last((context << NGramTable.TokenBits) | (long)((uint)token < (uint)VocabularySize ? token : _unknown), Order - 1);

    private void CheckToken(int token)
    {
        if ((uint)token >= (uint)VocabularySize)
        {
            throw new ArgumentOutOfRangeException(nameof(token), token, $"token id outside the vocabulary of {VocabularySize}");
        }
    }
}
