using System.Buffers.Binary;

namespace Banyan.Data.Shards;

/// <summary>
/// Writes a shard, document by document. The file appears complete on <see cref="Complete"/> or not at all: it is written beside its
/// destination, flushed to the disk and renamed.
/// </summary>
public sealed class ShardWriter : IDisposable
{
    private readonly string _path, _temporary;
    private readonly FileStream _file;
    private readonly List<long> _offsets = [0];
    private readonly int _vocabularySize, _tokenBytes;
    private readonly string _fingerprint;
    private readonly byte[] _block = new byte[1 << 16];
    private int _used;
    private uint _crc;
    private bool _closed;

    /// <summary>Begins a shard.</summary>
    /// <param name="path">The file that shall appear, by convention *.tokens; an existing one is replaced at the end.</param>
    /// <param name="vocabularySize">Ids are below this. Up to 65536 a token takes two bytes, else four.</param>
    /// <param name="tokenizerFingerprint">SHA-256 of the tokenizer's file as 64 hexadecimal digits; null where ids come from elsewhere (64 zeros).</param>
    /// <exception cref="ArgumentException">An argument is out of its range.</exception>
    /// <exception cref="IOException">The file cannot be created.</exception>
    public ShardWriter(string path, int vocabularySize, string? tokenizerFingerprint = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        _fingerprint = tokenizerFingerprint ?? new string('0', 64);
        if (_fingerprint.Length != 64 || !_fingerprint.All(char.IsAsciiHexDigit))
        {
            throw new ArgumentException($"\"{_fingerprint}\" is no fingerprint: expected 64 hexadecimal digits", nameof(tokenizerFingerprint));
        }
        (_vocabularySize, _tokenBytes) = (vocabularySize, ShardHeader.TokenBytesFor(vocabularySize));
        _path = Path.GetFullPath(path);
        _temporary = $"{_path}.tmp-{Guid.NewGuid():N}";
        _file = new FileStream(_temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        _file.Seek(ShardHeader.Size, SeekOrigin.Begin);
    }

    /// <summary>How many tokens have been added.</summary>
    public long TokenCount => _offsets[^1];

    /// <summary>How many documents have been added.</summary>
    public long DocumentCount => _offsets.Count - 1;

    /// <summary>Adds one document; it may be empty.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id lies outside the vocabulary; nothing of the document is added.</exception>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public void Add(ReadOnlySpan<int> document)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        foreach (int token in document)
        {
            if ((uint)token >= (uint)_vocabularySize)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(document), token, $"{_path}: token id outside the vocabulary of {_vocabularySize}, in document {DocumentCount}");
            }
        }
        foreach (int token in document)
        {
            Append((uint)token);
        }
        _offsets.Add(TokenCount + document.Length);
    }

    /// <summary>Writes offsets and header, flushes, and lets the file appear.</summary>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        FlushBlock();
        var header = new ShardHeader(_tokenBytes, TokenCount, DocumentCount, _vocabularySize, _fingerprint, _crc, 0);
        byte[] offsets = new byte[_offsets.Count * 8L];
        for (int i = 0; i < _offsets.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(offsets.AsSpan(i * 8), _offsets[i]);
        }
        _file.Seek(header.OffsetsAt, SeekOrigin.Begin); // the gap reads as zeros
        _file.Write(offsets);
        byte[] start = new byte[ShardHeader.Size];
        (header with { OffsetsCrc = Crc32C.Compute(offsets) }).Write(start);
        _file.Seek(0, SeekOrigin.Begin);
        _file.Write(start);
        _file.Flush(flushToDisk: true);
        _file.Dispose();
        File.Move(_temporary, _path, overwrite: true);
        _closed = true;
    }

    /// <summary>Without <see cref="Complete"/> nothing remains, and an older file of that name stays as it was.</summary>
    public void Dispose()
    {
        if (!_closed)
        {
            _closed = true;
            _file.Dispose();
            File.Delete(_temporary);
        }
    }

    private void Append(uint token)
    {
        if (_used == _block.Length)
        {
            FlushBlock();
        }
        if (_tokenBytes == 2)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_block.AsSpan(_used), (ushort)token);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_block.AsSpan(_used), token);
        }
        _used += _tokenBytes;
    }

    private void FlushBlock()
    {
        ReadOnlySpan<byte> bytes = _block.AsSpan(0, _used);
        _file.Write(bytes);
        _crc = Crc32C.Append(_crc, bytes);
        _used = 0;
    }
}
