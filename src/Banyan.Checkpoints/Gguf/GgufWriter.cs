using System.Text;

namespace Banyan.Checkpoints;

/// <summary>
/// Writes a GGUF file (version 3) in a stream: announce metadata and tensors, write the tensors' bytes in any order and in pieces, then <see cref="Commit"/>.
/// Equal input gives equal bytes. The file appears complete or not at all.
/// </summary>
public sealed class GgufWriter : IDisposable
{
    private readonly AtomicFile _file;
    private readonly string _path;
    private readonly Dictionary<string, (TensorEntry Entry, long Offset, long Written)> _tensors = [];

    private GgufWriter(string path, GgufMetadata metadata, IReadOnlyList<TensorEntry> tensors)
    {
        _path = path;
        long alignment = metadata.GetLong(GgufHeader.AlignmentKey, GgufHeader.DefaultAlignment);
        byte[] header = Header(metadata, tensors, alignment);
        long data = Align(header.Length, alignment), end = data;
        foreach (TensorEntry entry in tensors)
        {
            if (!_tensors.TryAdd(entry.Name, (entry, end, 0)))
            {
                throw new ArgumentException($"two tensors have the name {entry.Name}");
            }
            end = checked(end + Align(entry.ByteCount, alignment));
        }
        _file = AtomicFile.Create(path, end);
        try
        {
            _file.Write(0, header);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Begins a file.</summary>
    /// <param name="path">Where the file will be.</param>
    /// <param name="metadata">Keys and values, in the order of the file.</param>
    /// <param name="tensors">The tensors in the order of the file: row-major shapes, types that GGUF has.</param>
    /// <exception cref="ArgumentException">Two tensors have one name, or a type that GGUF does not know.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static GgufWriter Create(string path, GgufMetadata metadata, IReadOnlyList<TensorEntry> tensors) => new(path, metadata, tensors);

    /// <summary>Writes the next bytes of a tensor.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="bytes">All its bytes, or those that follow the ones written before.</param>
    public void Write(string name, ReadOnlySpan<byte> bytes)
    {
        (TensorEntry entry, long offset, long written) = _tensors.TryGetValue(name, out var found) ? found : throw new ArgumentException($"no tensor {name} was announced");
        if (bytes.Length > entry.ByteCount - written)
        {
            throw new ArgumentException($"{bytes.Length} more bytes after {written} are too many for {entry} of {entry.ByteCount} bytes");
        }
        _file.Write(offset + written, bytes);
        _tensors[name] = (entry, offset, written + bytes.Length);
    }

    /// <summary>Flushes and renames: from here on the file is there.</summary>
    /// <exception cref="InvalidOperationException">A tensor was not written completely.</exception>
    public void Commit()
    {
        foreach ((TensorEntry entry, _, long written) in _tensors.Values)
        {
            if (written != entry.ByteCount)
            {
                throw new InvalidOperationException($"{_path}: {written} of {entry.ByteCount} bytes of {entry} were written");
            }
        }
        _file.Commit();
    }

    /// <summary>Without <see cref="Commit"/>, nothing remains.</summary>
    public void Dispose() => _file.Dispose();

    private static long Align(long position, long alignment) => checked(position + alignment - 1) / alignment * alignment;

    private static byte[] Header(GgufMetadata metadata, IReadOnlyList<TensorEntry> tensors, long alignment)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream); // which is little-endian
        writer.Write(GgufHeader.Magic);
        writer.Write(3u);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)metadata.Keys.Count);
        foreach (string key in metadata.Keys)
        {
            Text(writer, key);
            writer.Write((uint)metadata[key].Type);
            Value(writer, metadata[key]);
        }
        long offset = 0;
        foreach (TensorEntry entry in tensors)
        {
            Text(writer, entry.Name);
            writer.Write((uint)entry.Shape.Length);
            for (int d = entry.Shape.Length - 1; d >= 0; d--)
            {
                writer.Write((ulong)entry.Shape[d]);
            }
            writer.Write(GgufTypes.IdOf(entry.Type));
            writer.Write((ulong)offset);
            offset += Align(entry.ByteCount, alignment);
        }
        return stream.ToArray();
    }

    private static void Text(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void Value(BinaryWriter writer, GgufValue value)
    {
        if (value.Value is not Array array)
        {
            Scalar(writer, value.Value);
            return;
        }
        writer.Write((uint)value.ElementType!.Value);
        writer.Write((ulong)array.Length);
        foreach (object item in array)
        {
            if (item is GgufValue nested)
            {
                Value(writer, nested);
            }
            else
            {
                Scalar(writer, item);
            }
        }
    }

    private static void Scalar(BinaryWriter writer, object value)
    {
        switch (value)
        {
            case byte x: writer.Write(x); break;
            case sbyte x: writer.Write(x); break;
            case ushort x: writer.Write(x); break;
            case short x: writer.Write(x); break;
            case uint x: writer.Write(x); break;
            case int x: writer.Write(x); break;
            case float x: writer.Write(x); break;
            case bool x: writer.Write(x); break;
            case string x: Text(writer, x); break;
            case ulong x: writer.Write(x); break;
            case long x: writer.Write(x); break;
            case double x: writer.Write(x); break;
            default: throw new ArgumentException($"metadata holds no {value.GetType()}");
        }
    }
}
