using System.Buffers.Binary;

namespace Banyan.Training.Logging;

/// <summary>
/// TensorFlow's record format: 8 bytes little-endian length, 4 bytes masked CRC-32C of them, the data, 4 bytes masked CRC-32C of the data.
/// Every record goes to the operating system in one write, so that it survives the process.
/// </summary>
internal sealed class RecordFile(FileStream file) : IDisposable
{
    public void Write(ReadOnlySpan<byte> data)
    {
        var record = new byte[data.Length + 16];
        BinaryPrimitives.WriteInt64LittleEndian(record, data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), Masked(record.AsSpan(0, 8)));
        data.CopyTo(record.AsSpan(12));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + data.Length), Masked(data));
        file.Write(record);
        file.Flush();
    }

    public void FlushToDisk() => file.Flush(flushToDisk: true);

    public void Dispose() => file.Dispose();

    // A checksum over data that contain checksums is weak; TensorFlow therefore rotates it and adds a constant.
    internal static uint Masked(ReadOnlySpan<byte> bytes) => uint.RotateRight(Crc32C.Compute(bytes), 15) + 0xA282EAD8u;
}
