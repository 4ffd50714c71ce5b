namespace Banyan.Data.Corpora;

/// <summary>
/// A read-only row of token ids with document boundaries: in memory, in mapped shards, or a part of another corpus. Document i covers the
/// tokens from <see cref="DocumentStart"/>(i) to <see cref="DocumentStart"/>(i + 1). Reading is safe from several threads.
/// </summary>
/// <remarks>
/// A document holds everything the model shall see and predict: usually a begin token, the text, an end token. Nothing is added later.
/// </remarks>
public abstract class TokenCorpus : IDisposable
{
    /// <summary>How many tokens there are.</summary>
    public abstract long TokenCount { get; }

    /// <summary>How many documents there are.</summary>
    public abstract long DocumentCount { get; }

    /// <summary>The index of a document's first token; <see cref="TokenCount"/> for <paramref name="document"/> = <see cref="DocumentCount"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such document.</exception>
    public abstract long DocumentStart(long document);

    /// <summary>Copies the tokens from <paramref name="start"/> on, across document boundaries.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the corpus.</exception>
    public abstract void Read(long start, Span<int> tokens);

    /// <summary>The document that holds a token (binary search).</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public long DocumentAt(long token)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, TokenCount);
        long low = 0, high = DocumentCount - 1;
        while (low < high)
        {
            long middle = low + ((high - low + 1) >> 1); // empty documents share a start: the last of them owns the token
            (low, high) = DocumentStart(middle) <= token ? (middle, high) : (low, middle - 1);
        }
        return low;
    }

    /// <summary>A copy of one document.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such document.</exception>
    public int[] Document(long document)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(document, DocumentCount);
        long start = DocumentStart(document);
        int[] tokens = new int[checked((int)(DocumentStart(document + 1) - start))];
        Read(start, tokens);
        return tokens;
    }

    /// <summary>Every document, in order, each a copy.</summary>
    public IEnumerable<ReadOnlyMemory<int>> Documents()
    {
        for (long i = 0; i < DocumentCount; i++)
        {
            yield return Document(i);
        }
    }

    /// <summary>A corpus in memory.</summary>
    public static TokenCorpus From(IEnumerable<ReadOnlyMemory<int>> documents) => new MemoryCorpus(documents);

    /// <summary>Several corpora as one, in the order given; it owns and disposes them.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static TokenCorpus Concat(IReadOnlyList<TokenCorpus> parts) => new ConcatenatedCorpus(parts);

    /// <summary>The tokens [start, end) of this corpus, without copying; a document at either edge is cut there.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the corpus.</exception>
    public TokenCorpus Slice(long start, long end) => new CorpusSlice(this, start, end);

    /// <summary>Some of the documents, in the order given, without copying the tokens.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such document.</exception>
    public TokenCorpus Select(IEnumerable<long> documents) => new DocumentSelection(this, documents);

    /// <summary>
    /// The positional split of nanoGPT: the first floor(fraction * tokens) tokens for training, the rest held out. A document may be cut.
    /// </summary>
    /// <param name="fraction">The share of training tokens, 0 to 1; often 0.9.</param>
    public (TokenCorpus Training, TokenCorpus HeldOut) SplitByPosition(double fraction)
    {
        CheckFraction(fraction);
        long at = (long)(fraction * TokenCount);
        return (Slice(0, at), Slice(at, TokenCount));
    }

    /// <summary>Splits whole documents, each by its own random number: a document keeps its side when others are appended.</summary>
    /// <param name="fraction">The expected share of training documents, 0 to 1.</param>
    /// <param name="seed">Chooses the sides.</param>
    public (TokenCorpus Training, TokenCorpus HeldOut) SplitByDocument(double fraction, ulong seed)
    {
        CheckFraction(fraction);
        List<long> training = [], heldOut = [];
        for (long i = 0; i < DocumentCount; i++)
        {
            bool isTraining = new CounterRandom(seed, DataStreams.DocumentSplit, (ulong)i).NextDouble() < fraction;
            (isTraining ? training : heldOut).Add(i);
        }
        return (Select(training), Select(heldOut));
    }

    /// <summary>Releases mapped memory. Slices and selections own nothing.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases what this corpus owns.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    private protected void CheckRead(long start, int count)
    {
        if (start < 0 || start > TokenCount - count)
        {
            throw new ArgumentOutOfRangeException(nameof(start), $"tokens [{start}, {start + count}) lie outside a corpus of {TokenCount}");
        }
    }

    private protected void CheckDocument(long document)
    {
        if ((ulong)document > (ulong)DocumentCount)
        {
            throw new ArgumentOutOfRangeException(nameof(document), $"document {document} of a corpus of {DocumentCount}");
        }
    }

    private static void CheckFraction(double fraction)
    {
        if (!(fraction is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(fraction), fraction, "the training share of a split lies between 0 and 1");
        }
    }
}
