namespace Banyan.Data.Corpora;

internal sealed class MemoryCorpus : TokenCorpus
{
    private readonly int[] _tokens;
    private readonly long[] _starts;

    public MemoryCorpus(IEnumerable<ReadOnlyMemory<int>> documents)
    {
        var tokens = new List<int>();
        var starts = new List<long> { 0 };
        foreach (ReadOnlyMemory<int> document in documents)
        {
            tokens.AddRange(document.Span);
            starts.Add(tokens.Count);
        }
        (_tokens, _starts) = ([.. tokens], [.. starts]);
    }

    public override long TokenCount => _tokens.Length;

    public override long DocumentCount => _starts.Length - 1;

    public override long DocumentStart(long document)
    {
        CheckDocument(document);
        return _starts[document];
    }

    public override void Read(long start, Span<int> tokens)
    {
        CheckRead(start, tokens.Length);
        _tokens.AsSpan((int)start, tokens.Length).CopyTo(tokens);
    }
}
