namespace Banyan.Data.Corpora;

internal sealed class ConcatenatedCorpus : TokenCorpus
{
    private readonly TokenCorpus[] _parts;
    private readonly long[] _tokenStarts, _documentStarts; // of each part, and the totals behind the last

    public ConcatenatedCorpus(IReadOnlyList<TokenCorpus> parts)
    {
        _parts = parts.Count > 0 ? [.. parts] : throw new ArgumentException("a corpus of no parts", nameof(parts));
        _tokenStarts = new long[_parts.Length + 1];
        _documentStarts = new long[_parts.Length + 1];
        for (int i = 0; i < _parts.Length; i++)
        {
            _tokenStarts[i + 1] = checked(_tokenStarts[i] + _parts[i].TokenCount);
            _documentStarts[i + 1] = checked(_documentStarts[i] + _parts[i].DocumentCount);
        }
    }

    public override long TokenCount => _tokenStarts[^1];

    public override long DocumentCount => _documentStarts[^1];

    public override long DocumentStart(long document)
    {
        CheckDocument(document);
        int part = PartOf(_documentStarts, document);
        return _tokenStarts[part] + _parts[part].DocumentStart(document - _documentStarts[part]);
    }

    public override void Read(long start, Span<int> tokens)
    {
        CheckRead(start, tokens.Length);
        for (int part = PartOf(_tokenStarts, start); tokens.Length > 0; part++)
        {
            int count = (int)Math.Min(tokens.Length, _tokenStarts[part + 1] - start);
            _parts[part].Read(start - _tokenStarts[part], tokens[..count]);
            start += count;
            tokens = tokens[count..];
        }
    }

    protected override void Dispose(bool disposing)
    {
        foreach (TokenCorpus part in _parts)
        {
            part.Dispose();
        }
    }

    // The last part that starts at or before the index (empty parts share a start); the index behind everything belongs to the last part.
    private static int PartOf(long[] starts, long index)
    {
        int at = Array.BinarySearch(starts, index);
        at = at < 0 ? ~at - 1 : at;
        while (at + 1 < starts.Length && starts[at + 1] == index)
        {
            at++;
        }
        return Math.Min(at, starts.Length - 2);
    }
}
