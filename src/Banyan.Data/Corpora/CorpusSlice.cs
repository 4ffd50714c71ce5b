namespace Banyan.Data.Corpora;

internal sealed class CorpusSlice : TokenCorpus
{
    private readonly TokenCorpus _corpus;
    private readonly long _start, _end, _firstDocument;

    public CorpusSlice(TokenCorpus corpus, long start, long end)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfLessThan(end, start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, corpus.TokenCount);
        (_corpus, _start, _end) = (corpus, start, end);
        _firstDocument = start < end ? corpus.DocumentAt(start) : 0;
        DocumentCount = start < end ? corpus.DocumentAt(end - 1) - _firstDocument + 1 : 0;
    }

    public override long TokenCount => _end - _start;

    public override long DocumentCount { get; }

    public override long DocumentStart(long document)
    {
        CheckDocument(document);
        return document == DocumentCount ? TokenCount : Math.Max(_corpus.DocumentStart(_firstDocument + document) - _start, 0);
    }

    public override void Read(long start, Span<int> tokens)
    {
        CheckRead(start, tokens.Length);
        _corpus.Read(_start + start, tokens);
    }
}
