using System.Buffers.Binary;
using System.Text;

namespace Banyan.Checkpoints;

/// <summary>Reads the head of a GGUF file from front to back. Every length is held against the bytes that are left before anything is allocated.</summary>
internal sealed class GgufCursor(MappedFile file)
{
    private const int MaxDepth = 8; // of arrays in arrays: the stack must not depend on the file
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    private readonly MappedFile _file = file;

    public long Position { get; private set; }

    private long Left => _file.Length - Position;

    public uint UInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    public ulong UInt64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    /// <summary>A number of things of which each takes at least <paramref name="bytesEach"/> bytes of what is left.</summary>
    public long Count(string what, int bytesEach)
    {
        ulong count = UInt64(what);
        return count <= (ulong)(Left / bytesEach) ? (long)count : throw Error($"{what} is {count}; the {Left} bytes that are left hold at most {Left / bytesEach}");
    }

    /// <summary>A text: the length and UTF-8.</summary>
    public string Text(string what, bool strict, int max = int.MaxValue)
    {
        ulong length = UInt64($"the length of {what}");
        if (length > (ulong)Math.Min(Left, max))
        {
            throw Error($"{what} has {length} bytes; {(length > (ulong)Left ? $"only {Left} are left" : $"at most {max} are allowed")}");
        }
        byte[] bytes = Take((int)length, what);
        try
        {
            return (strict ? s_strict : Encoding.UTF8).GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw Error($"{what} is not UTF-8", e);
        }
    }

    public GgufValue Value(string key)
    {
        GgufValueType type = Type(key);
        return type == GgufValueType.Array ? Array(key, 1) : new GgufValue(type, Scalar(type, key));
    }

    public CheckpointException Error(string problem, Exception? inner = null) => new(_file.Path, $"at byte {Position}: {problem}", inner);

    private GgufValueType Type(string key)
    {
        uint type = UInt32($"the type of {key}");
        return type <= (uint)GgufValueType.Float64 ? (GgufValueType)type : throw Error($"{key} has the type {type}; the format knows 0 to 12");
    }

    private object Scalar(GgufValueType type, string key) => type switch
    {
        GgufValueType.UInt8 => Take(1, key)[0],
        GgufValueType.Int8 => (sbyte)Take(1, key)[0],
        GgufValueType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(Take(2, key)),
        GgufValueType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(Take(2, key)),
        GgufValueType.UInt32 => UInt32(key),
        GgufValueType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(Take(4, key)),
        GgufValueType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(Take(4, key)),
        GgufValueType.Bool => Take(1, key)[0] switch { 0 => false, 1 => true, byte other => throw Error($"{key} is the bool {other}; expected 0 or 1") },
        GgufValueType.String => Text(key, strict: false),
        GgufValueType.UInt64 => UInt64(key),
        GgufValueType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(Take(8, key)),
        _ => BinaryPrimitives.ReadDoubleLittleEndian(Take(8, key)),
    };

    private GgufValue Array(string key, int depth)
    {
        if (depth > MaxDepth)
        {
            throw Error($"{key} has arrays in arrays deeper than {MaxDepth}");
        }
        GgufValueType type = Type(key);
        int count = checked((int)Math.Min(Count($"the length of {key}", Size(type)), int.MaxValue));
        System.Array items = type switch
        {
            GgufValueType.UInt8 => Items<byte>(type, count, key),
            GgufValueType.Int8 => Items<sbyte>(type, count, key),
            GgufValueType.UInt16 => Items<ushort>(type, count, key),
            GgufValueType.Int16 => Items<short>(type, count, key),
            GgufValueType.UInt32 => Items<uint>(type, count, key),
            GgufValueType.Int32 => Items<int>(type, count, key),
            GgufValueType.Float32 => Items<float>(type, count, key),
            GgufValueType.Bool => Items<bool>(type, count, key),
            GgufValueType.String => Items<string>(type, count, key),
            GgufValueType.UInt64 => Items<ulong>(type, count, key),
            GgufValueType.Int64 => Items<long>(type, count, key),
            GgufValueType.Float64 => Items<double>(type, count, key),
            _ => Nested(count, key, depth),
        };
        return new GgufValue(GgufValueType.Array, items, type);
    }

    private T[] Items<T>(GgufValueType type, int count, string key)
    {
        var items = new T[count];
        for (int i = 0; i < count; i++)
        {
            items[i] = (T)Scalar(type, key);
        }
        return items;
    }

    private GgufValue[] Nested(int count, string key, int depth)
    {
        var items = new GgufValue[count];
        for (int i = 0; i < count; i++)
        {
            items[i] = Array(key, depth + 1);
        }
        return items;
    }

    // The fewest bytes that a value can take.
    private static int Size(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.Array => 12,
        _ => 8,
    };

    private byte[] Take(int count, string what)
    {
        if (count > Left)
        {
            throw Error($"the file ends inside {what}: {count} bytes expected, {Left} left");
        }
        using TensorBytes bytes = _file.Window(Position, count);
        Position += count;
        return bytes.Span.ToArray();
    }
}
