using System.IO.Compression;

namespace Banyan.Data.Readers;

/// <summary>
/// Unpacks a gzip file and refuses one that was cut, which <see cref="GZipStream"/> reads without a word: a mark, itself a gzip member, is read
/// behind the file, and what is unpacked must end with it. In a cut file the mark's bytes fall into the unfinished member.
/// </summary>
internal sealed class CheckedGZipStream : ReadOnlyStream
{
    private static readonly byte[] Mark = "\u0003end of the file\u0004"u8.ToArray();
    private static readonly byte[] ZippedMark = Zip(Mark);

    private readonly Stream _file;
    private readonly GZipStream _unpacked;
    private readonly string _path;
    private readonly byte[] _buffer = new byte[(1 << 16) + Mark.Length];
    private int _start, _end; // unpacked and not yet handed out; the last bytes wait, since they may be the mark

    public CheckedGZipStream(FileStream file, string path)
    {
        (_file, _path) = (file, path);
        if (file.Length == 0)
        {
            file.Dispose();
            throw Damaged(null);
        }
        _unpacked = new GZipStream(new MarkedStream(file), CompressionMode.Decompress);
    }

    public override int Read(Span<byte> buffer)
    {
        if (_end - _start <= Mark.Length && !Fill())
        {
            return 0;
        }
        int count = Math.Min(buffer.Length, _end - _start - Mark.Length);
        _buffer.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        _unpacked.Dispose();
        _file.Dispose();
        base.Dispose(disposing);
    }

    // True when there is more than the bytes that wait; at the end those must be the mark.
    private bool Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        try
        {
            _end += _unpacked.ReadAtLeast(_buffer.AsSpan(_end), Mark.Length + 1 - _end, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e)
        {
            throw Damaged(e);
        }
        return _end > Mark.Length || (_buffer.AsSpan(0, _end).SequenceEqual(Mark) ? false : throw Damaged(null));
    }

    private InvalidDataException Damaged(Exception? inner) =>
        new($"{_path}: not a complete gzip file: it was damaged, cut, or has something else behind its end; fetch or pack it again", inner);

    private static byte[] Zip(byte[] plain)
    {
        using var zipped = new MemoryStream();
        using (var stream = new GZipStream(zipped, CompressionLevel.Fastest))
        {
            stream.Write(plain);
        }
        return zipped.ToArray();
    }

    /// <summary>The file's bytes, then the packed mark.</summary>
    private sealed class MarkedStream(Stream file) : ReadOnlyStream
    {
        private int _marked;

        public override int Read(Span<byte> buffer)
        {
            int read = file.Read(buffer);
            if (read == 0 && buffer.Length > 0)
            {
                read = Math.Min(buffer.Length, ZippedMark.Length - _marked);
                ZippedMark.AsSpan(_marked, read).CopyTo(buffer);
                _marked += read;
            }
            return read;
        }
    }
}
