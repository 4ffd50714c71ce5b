namespace Banyan.Data.Corpora;

internal sealed class DocumentSelection : TokenCorpus
{
    private readonly TokenCorpus _corpus;
    private readonly long[] _sources, _starts; // where each document lies in the corpus, and here

    public DocumentSelection(TokenCorpus corpus, IEnumerable<long> documents)
    {
        _corpus = corpus;
        List<long> sources = [], starts = [0];
        foreach (long document in documents)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(document, corpus.DocumentCount, nameof(documents));
            long source = corpus.DocumentStart(document);
            sources.Add(source);
            starts.Add(checked(starts[^1] + corpus.DocumentStart(document + 1) - source));
        }
        (_sources, _starts) = ([.. sources], [.. starts]);
    }

    public override long TokenCount => _starts[^1];

    public override long DocumentCount => _sources.Length;

    public override long DocumentStart(long document)
    {
        CheckDocument(document);
        return _starts[document];
    }

    public override void Read(long start, Span<int> tokens)
    {
        CheckRead(start, tokens.Length);
        for (long document = tokens.Length > 0 ? DocumentAt(start) : 0; tokens.Length > 0; document++)
        {
            int count = (int)Math.Min(tokens.Length, _starts[document + 1] - start);
            _corpus.Read(_sources[document] + start - _starts[document], tokens[..count]);
            start += count;
            tokens = tokens[count..];
        }
    }
}
