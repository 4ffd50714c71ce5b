using System.Buffers.Binary;

namespace Banyan.Tokenizers.Formats;

/// <summary>
/// Walks the fields of one protobuf message (protobuf.dev/programming-guides/encoding). Every length is checked against the
/// bytes that remain; unknown fields are skipped, groups with a limit on their depth.
/// </summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private const int MaxDepth = 64;

    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;

    /// <summary>How a field is written.</summary>
    public enum Wire
    {
        Varint = 0,
        Fixed64 = 1,
        Bytes = 2,
        StartGroup = 3,
        EndGroup = 4,
        Fixed32 = 5,
    }

    /// <summary>Number of the field that was read last.</summary>
    public int Field { get; private set; }

    public Wire Type { get; private set; }

    /// <summary>The value of a varint field.</summary>
    public ulong Value { get; private set; }

    /// <summary>The value of a field of bytes, or the 4 or 8 bytes of a fixed one.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    public readonly bool Bool => Value != 0;

    public readonly float Float => BinaryPrimitives.ReadSingleLittleEndian(Bytes);

    /// <summary>Reads the next field; false at the end.</summary>
    /// <exception cref="InvalidDataException">The bytes are no protobuf message.</exception>
    public bool Next()
    {
        if (_at == _message.Length)
        {
            return false;
        }
        ReadTag();
        switch (Type)
        {
            case Wire.Varint:
                Value = Varint();
                break;
            case Wire.StartGroup:
                SkipGroup(Field, MaxDepth);
                break;
            case Wire.EndGroup:
                throw new InvalidDataException($"byte {_at}: a group ends that did not begin");
            default:
                Bytes = Take(Type == Wire.Fixed64 ? 8 : Type == Wire.Fixed32 ? 4 : Varint());
                break;
        }
        return true;
    }

    private void ReadTag()
    {
        ulong tag = Varint();
        (Field, Type) = ((int)Math.Min(tag >> 3, int.MaxValue), (Wire)(tag & 7));
        if (Field is 0 or > 0x1FFFFFFF || (int)Type > (int)Wire.Fixed32)
        {
            throw new InvalidDataException($"byte {_at}: found the tag {tag}, which no field has");
        }
    }

    private void SkipGroup(int field, int depth)
    {
        if (depth == 0)
        {
            throw new InvalidDataException($"byte {_at}: groups are nested deeper than {MaxDepth}");
        }
        while (true)
        {
            ReadTag();
            switch (Type)
            {
                case Wire.EndGroup when Field == field:
                    return;
                case Wire.EndGroup:
                    throw new InvalidDataException($"byte {_at}: group {Field} ends inside group {field}");
                case Wire.StartGroup:
                    SkipGroup(Field, depth - 1);
                    break;
                case Wire.Varint:
                    Varint();
                    break;
                default:
                    Take(Type == Wire.Fixed64 ? 8 : Type == Wire.Fixed32 ? 4 : Varint());
                    break;
            }
        }
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(_message.Length - _at))
        {
            throw new InvalidDataException($"byte {_at}: a field of {length} bytes, but only {_message.Length - _at} remain");
        }
        _at += (int)length;
        return _message.Slice(_at - (int)length, (int)length);
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            if (_at == _message.Length)
            {
                throw new InvalidDataException($"byte {_at}: the message ends inside a number");
            }
            byte b = _message[_at++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }
        throw new InvalidDataException($"byte {_at}: found a number of more than 10 bytes");
    }
}
