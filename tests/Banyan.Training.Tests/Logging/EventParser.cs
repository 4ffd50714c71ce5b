using System.Buffers.Binary;
using System.Text;

namespace Banyan.Training.Tests.Logging;

/// <summary>Reads event files by the description of the format alone: bitwise CRC, hand-written wire format. Shares no code with the writer.</summary>
internal static class EventParser
{
    /// <summary>The serialized events of a file. Throws where the framing or a checksum is wrong, or where bytes are left over.</summary>
    public static List<byte[]> Records(ReadOnlySpan<byte> file)
    {
        var records = new List<byte[]>();
        while (!file.IsEmpty)
        {
            Check(BinaryPrimitives.ReadUInt32LittleEndian(file[8..]) == MaskedCrc(file[..8]), "the checksum of a length");
            int length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file));
            ReadOnlySpan<byte> data = file.Slice(12, length);
            Check(BinaryPrimitives.ReadUInt32LittleEndian(file[(12 + length)..]) == MaskedCrc(data), "the checksum of a record");
            records.Add(data.ToArray());
            file = file[(16 + length)..];
        }
        return records;
    }

    /// <summary>The fields of a message: number to values (ulong for varint and 64 bit, uint for 32 bit, byte[] for the rest).</summary>
    public static ILookup<int, object> Fields(ReadOnlySpan<byte> message)
    {
        var fields = new List<(int Number, object Value)>();
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint(message, ref at);
            object value;
            switch (key & 7)
            {
                case 0:
                    value = Varint(message, ref at);
                    break;
                case 1:
                    value = BinaryPrimitives.ReadUInt64LittleEndian(message[at..]);
                    at += 8;
                    break;
                case 2:
                    int length = checked((int)Varint(message, ref at));
                    value = message.Slice(at, length).ToArray();
                    at += length;
                    break;
                case 5:
                    value = BinaryPrimitives.ReadUInt32LittleEndian(message[at..]);
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"wire type {key & 7}");
            }
            fields.Add(((int)(key >> 3), value));
        }
        return fields.ToLookup(f => f.Number, f => f.Value);
    }

    /// <summary>The one message at the end of a path of field numbers, for example summary, value: <c>5, 1</c>.</summary>
    public static ILookup<int, object> Inside(ReadOnlySpan<byte> message, params ReadOnlySpan<int> path)
    {
        ILookup<int, object> fields = Fields(message);
        foreach (int number in path)
        {
            fields = Fields((byte[])fields[number].Single());
        }
        return fields;
    }

    public static string Text(this ILookup<int, object> fields, int number) => Encoding.UTF8.GetString((byte[])fields[number].Single());

    public static double Double(this ILookup<int, object> fields, int number) => BitConverter.UInt64BitsToDouble((ulong)fields[number].Single());

    public static float Float(this ILookup<int, object> fields, int number) => BitConverter.UInt32BitsToSingle((uint)fields[number].Single());

    public static long Integer(this ILookup<int, object> fields, int number) => (long)(ulong)(fields[number].SingleOrDefault() ?? 0UL);

    public static uint MaskedCrc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
            }
        }
        crc = ~crc;
        return unchecked(((crc >> 15) | (crc << 17)) + 0xA282EAD8u);
    }

    private static ulong Varint(ReadOnlySpan<byte> message, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            byte b = message[at++];
            value |= (ulong)(b & 127) << shift;
            if (b < 128)
            {
                return value;
            }
        }
        throw new InvalidDataException("a varint of more than 10 bytes");
    }

    private static void Check(bool fits, string what)
    {
        if (!fits)
        {
            throw new InvalidDataException($"{what} does not fit");
        }
    }
}
