using System.Buffers.Binary;
using System.Text;

namespace Banyan.Checkpoints;

/// <summary>
/// The directory of a zip file whose records lie uncompressed, so that tensors can be mapped where they are (PKWARE's APPNOTE, 64-bit sizes included).
/// .NET's own reader does not tell where a record's data begins.
/// </summary>
internal static class ZipRecords
{
    private const int EndBytes = 22, CentralBytes = 46, LocalBytes = 30, MaxComment = 65535;

    /// <summary>Name to (offset, length) of each record's data.</summary>
    public static Dictionary<string, (long Offset, long Length)> Read(MappedFile file)
    {
        CheckpointException Error(string problem) => new(file.Path, $"{problem}; the zip file is damaged or cut short");
        using TensorBytes bytes = file.Window(0, file.Length);
        ReadOnlySpan<byte> At(long offset, long count) => offset >= 0 && count >= 0 && offset <= bytes.Length - count ? bytes.Slice(offset, (int)count) : throw Error("a record lies outside of the file");
        (long entries, long directory) = Directory(bytes, At, Error);
        var records = new Dictionary<string, (long, long)>();
        for (long at = directory; entries > 0; entries--)
        {
            ReadOnlySpan<byte> header = At(at, CentralBytes);
            if (U32(header, 0) != 0x02014b50)
            {
                throw Error("an entry of the directory is missing");
            }
            int nameBytes = U16(header, 28), extraBytes = U16(header, 30), commentBytes = U16(header, 32), method = U16(header, 10);
            long packed = U32(header, 20), length = U32(header, 24), local = U32(header, 42);
            string name = Encoding.UTF8.GetString(At(at + CentralBytes, nameBytes));
            Extended(At(at + CentralBytes + nameBytes, extraBytes), ref length, ref packed, ref local, Error);
            if (method != 0 || (U16(header, 8) & 1) != 0 || packed != length)
            {
                throw new CheckpointException(file.Path, $"the record {CheckpointException.Quote(name)} is compressed or encrypted; PyTorch stores records as they are");
            }
            ReadOnlySpan<byte> start = At(local, LocalBytes);
            long data = local + LocalBytes + U16(start, 26) + U16(start, 28);
            if (U32(start, 0) != 0x04034b50 || data > bytes.Length - length)
            {
                throw Error($"the record {CheckpointException.Quote(name)} lies outside of the file");
            }
            if (!records.TryAdd(name, (data, length)))
            {
                throw Error($"the record {CheckpointException.Quote(name)} is there twice");
            }
            at += CentralBytes + nameBytes + extraBytes + commentBytes;
        }
        return records;
    }

    private delegate ReadOnlySpan<byte> Window(long offset, long count);

    private static (long Entries, long Offset) Directory(TensorBytes bytes, Window at, Func<string, CheckpointException> error)
    {
        for (long end = bytes.Length - EndBytes; end >= 0 && end >= bytes.Length - EndBytes - MaxComment; end--)
        {
            ReadOnlySpan<byte> record = bytes.Slice(end, EndBytes);
            if (U32(record, 0) != 0x06054b50)
            {
                continue;
            }
            (long entries, long offset) = (U16(record, 10), U32(record, 16));
            if (end >= 20 && U32(bytes.Slice(end - 20, 20), 0) == 0x07064b50)
            {
                long wide = (long)BinaryPrimitives.ReadUInt64LittleEndian(bytes.Slice(end - 12, 8));
                ReadOnlySpan<byte> record64 = at(wide, 56);
                (entries, offset) = ((long)BinaryPrimitives.ReadUInt64LittleEndian(record64[32..]), (long)BinaryPrimitives.ReadUInt64LittleEndian(record64[48..]));
            }
            return entries >= 0 && offset >= 0 && entries <= (bytes.Length - offset) / CentralBytes ? (entries, offset) : throw error("the directory is larger than the file");
        }
        throw error("the directory at the end is missing");
    }

    // Sizes of 4 GiB and more stand in an extra field, in this order, each only where its 32-bit field is full.
    private static void Extended(ReadOnlySpan<byte> extra, ref long length, ref long packed, ref long local, Func<string, CheckpointException> error)
    {
        while (extra.Length >= 4)
        {
            int kind = U16(extra, 0), size = U16(extra, 2);
            if (size > extra.Length - 4)
            {
                throw error("an extra field is cut off");
            }
            ReadOnlySpan<byte> field = extra.Slice(4, size);
            if (kind == 1)
            {
                Take(ref length, ref field, error);
                Take(ref packed, ref field, error);
                Take(ref local, ref field, error);
            }
            extra = extra[(4 + size)..];
        }
    }

    private static void Take(ref long value, ref ReadOnlySpan<byte> field, Func<string, CheckpointException> error)
    {
        if (value == uint.MaxValue && field.Length >= 8)
        {
            value = BinaryPrimitives.ReadInt64LittleEndian(field);
            field = field[8..];
            _ = value >= 0 ? 0 : throw error("a size is negative");
        }
    }

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static long U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
