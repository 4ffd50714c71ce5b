using System.Buffers.Binary;

namespace Banyan.Data.Shards;

/// <summary>The first 96 bytes of a shard (docs/formats/shards.md).</summary>
internal readonly record struct ShardHeader(
    int TokenBytes, long TokenCount, long DocumentCount, int VocabularySize, string Fingerprint, uint TokensCrc, uint OffsetsCrc)
{
    public const int Size = 96;
    public const uint Version = 1;
    private const ulong Magic = 0x4B4F_544E_4159_4E42; // "BNYANTOK"
    private const int CrcAt = Size - 4;

    public long OffsetsAt => (Size + (TokenCount * TokenBytes) + 7) & ~7L;

    public long FileLength => OffsetsAt + ((DocumentCount + 1) * 8);

    public static int TokenBytesFor(int vocabularySize) => vocabularySize <= 1 << 16 ? 2 : 4;

    public void Write(Span<byte> to)
    {
        to[..Size].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(to, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(to[12..], (uint)TokenBytes);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], TokenCount);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], DocumentCount);
        BinaryPrimitives.WriteInt32LittleEndian(to[32..], VocabularySize);
        Convert.FromHexString(Fingerprint).CopyTo(to[40..]);
        BinaryPrimitives.WriteUInt32LittleEndian(to[72..], TokensCrc);
        BinaryPrimitives.WriteUInt32LittleEndian(to[76..], OffsetsCrc);
        BinaryPrimitives.WriteUInt32LittleEndian(to[CrcAt..], Crc32C.Compute(to[..CrcAt]));
    }

    /// <summary>Reads and checks a header against the length of its file; nothing in it is trusted before.</summary>
    /// <exception cref="InvalidDataException">What is wrong, behind the path.</exception>
    public static ShardHeader Read(ReadOnlySpan<byte> from, long fileLength, string path)
    {
        Check(fileLength >= Size && from.Length >= Size, path, $"{fileLength} bytes are too few for a token shard, whose header alone has {Size}");
        Check(BinaryPrimitives.ReadUInt64LittleEndian(from) == Magic, path, "is not a token shard (it does not begin with \"BNYANTOK\")");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(from[8..]);
        Check(version == Version, path, $"token shard of version {version}; this reader knows version {Version}: write it again, or use a newer Banyan");
        uint crc = BinaryPrimitives.ReadUInt32LittleEndian(from[CrcAt..]);
        Check(crc == Crc32C.Compute(from[..CrcAt]), path, "the header's checksum does not fit: the file is damaged, write it again");
        var header = new ShardHeader(
            BinaryPrimitives.ReadInt32LittleEndian(from[12..]), BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[24..]), BinaryPrimitives.ReadInt32LittleEndian(from[32..]), Convert.ToHexStringLower(from[40..72]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[72..]), BinaryPrimitives.ReadUInt32LittleEndian(from[76..]));
        header.CheckSizes(fileLength, path);
        return header;
    }

    // A checksum is no signature: a hostile file has a right one. Counts are bounded by the file's length before they are multiplied.
    private void CheckSizes(long fileLength, string path)
    {
        Check(VocabularySize > 0, path, $"vocabulary of {VocabularySize}");
        Check(TokenBytes == TokenBytesFor(VocabularySize), path,
            $"{TokenBytes} bytes per token, expected {TokenBytesFor(VocabularySize)} for a vocabulary of {VocabularySize}");
        Check(TokenCount >= 0 && TokenCount <= fileLength / TokenBytes, path, $"{TokenCount} tokens do not fit into {fileLength} bytes");
        Check(DocumentCount >= 0 && DocumentCount < fileLength / 8, path, $"{DocumentCount} documents do not fit into {fileLength} bytes");
        Check(fileLength == FileLength, path, $"{fileLength} bytes, expected {FileLength} by its header: the file was cut or extended");
    }

    public static void Check(bool isFine, string path, string problem)
    {
        if (!isFine)
        {
            throw new InvalidDataException($"{path}: {problem}");
        }
    }
}
