namespace Banyan.Data.Readers;

/// <summary>The parts of a stream between delimiters (none: the whole stream), through one buffer that is reused.</summary>
internal sealed class ByteRecords
{
    private readonly Stream _stream;
    private readonly byte[] _delimiter;
    private readonly int _limit;
    private byte[] _buffer = new byte[1 << 16];
    private int _start, _end, _currentStart, _currentLength;
    private bool _isAtEnd;

    public ByteRecords(Stream stream, ReadOnlySpan<byte> delimiter, int limit, string path)
    {
        (_stream, _delimiter, _limit, Path) = (stream, delimiter.ToArray(), limit, path);
        _end = stream.ReadAtLeast(_buffer, 3, throwOnEndOfStream: false);
        ReadOnlySpan<byte> first = _buffer.AsSpan(0, _end);
        _start = first.StartsWith("\uFEFF"u8) ? 3 : 0;
        if (first.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || first.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
        {
            throw new InvalidDataException($"{path}: begins with the mark of UTF-16; expected UTF-8: convert the file");
        }
    }

    public string Path { get; }

    /// <summary>The number of the current record, from 1: a line number where lines are read.</summary>
    public long Number { get; private set; }

    /// <summary>The current record without its delimiter; valid until the next one.</summary>
    public ReadOnlySpan<byte> Current => _buffer.AsSpan(_currentStart, _currentLength);

    /// <summary>Goes to the next record; behind a last delimiter there is none.</summary>
    public bool MoveNext()
    {
        for (int scanned = 0; ;)
        {
            ReadOnlySpan<byte> unread = _buffer.AsSpan(_start, _end - _start);
            int at = _delimiter.Length == 0 ? -1 : unread[scanned..].IndexOf(_delimiter);
            if (at >= 0 || _isAtEnd)
            {
                int length = at >= 0 ? scanned + at : unread.Length;
                return Take(length, at >= 0 ? length + _delimiter.Length : length);
            }
            CheckLength(unread.Length - _delimiter.Length);
            scanned = Math.Max(0, unread.Length - _delimiter.Length + 1); // the delimiter may be half here
            Fill();
        }
    }

    /// <summary>The error for what is wrong with the current record.</summary>
    public InvalidDataException Error(string problem, Exception? inner = null) =>
        new($"{Path}{(_delimiter is [(byte)'\n'] ? $", line {Number}" : "")}: {problem}", inner);

    private bool Take(int length, int consumed)
    {
        Number++;
        CheckLength(length);
        (_currentStart, _currentLength) = (_start, length);
        _start += consumed;
        return consumed > 0;
    }

    /// <summary>Refuses a record beyond the limit.</summary>
    public void CheckLength(long length)
    {
        if (length > _limit)
        {
            throw Error($"document {Number} is longer than {_limit} bytes: raise {nameof(DocumentReaderOptions.MaxDocumentBytes)} if that is right");
        }
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, (int)Math.Min(2L * _buffer.Length, Array.MaxLength));
        }
        int read = _stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _isAtEnd = read == 0;
    }
}
