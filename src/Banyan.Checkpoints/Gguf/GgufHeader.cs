using System.Numerics;

namespace Banyan.Checkpoints;

/// <summary>Everything before the data of a GGUF file: version, metadata, and what tensors there are and where. Checked completely.</summary>
internal sealed class GgufHeader
{
    public const uint Magic = 0x46554747; // "GGUF"
    public const string AlignmentKey = "general.alignment";
    public const int DefaultAlignment = 32;
    private const int MaxName = 1024, MaxKey = 65535, MaxDimensions = 4, LeastKeyBytes = 13, LeastTensorBytes = 32;

    private readonly MappedFile _file;
    private readonly GgufCursor _cursor;

    private GgufHeader(MappedFile file)
    {
        _file = file;
        _cursor = new GgufCursor(file);
        Metadata = new GgufMetadata(file.Path);
    }

    public GgufMetadata Metadata { get; }

    public List<TensorEntry> Tensors { get; } = [];

    public static GgufHeader Read(MappedFile file)
    {
        var header = new GgufHeader(file);
        header.Read();
        return header;
    }

    private void Read()
    {
        CheckVersion();
        long tensors = _cursor.Count("the number of tensors", LeastTensorBytes), keys = _cursor.Count("the number of metadata keys", LeastKeyBytes);
        for (long i = 0; i < keys; i++)
        {
            string key = _cursor.Text($"metadata key {i}", strict: true, MaxKey);
            if (!Metadata.TryAdd(key, _cursor.Value(CheckpointException.Quote(key))))
            {
                throw _cursor.Error($"the metadata key {CheckpointException.Quote(key)} is there twice");
            }
        }
        var infos = new List<(string Name, StoredType Type, long[] Shape, ulong Offset)>();
        for (long i = 0; i < tensors; i++)
        {
            infos.Add(ReadTensor(i));
        }
        Place(infos, Alignment());
    }

    private void CheckVersion()
    {
        uint magic = _cursor.UInt32("the first four bytes"), version = magic == Magic ? _cursor.UInt32("the version") : 0;
        if (magic != Magic)
        {
            throw new CheckpointException(_file.Path, "does not begin with \"GGUF\"; is this a GGUF file?");
        }
        if (version is not (2 or 3))
        {
            bool swapped = (version & 0xFFFF) == 0;
            throw new CheckpointException(_file.Path, swapped && version != 0
                ? "is a big-endian GGUF file; expected a little-endian one"
                : $"is a GGUF file of version {version}; expected 2 or 3");
        }
    }

    private int Alignment()
    {
        if (!Metadata.TryGet(AlignmentKey, out GgufValue? value))
        {
            return DefaultAlignment;
        }
        return value.Value is uint alignment and > 0 and <= 1 << 20 && BitOperations.IsPow2(alignment)
            ? (int)alignment
            : throw new CheckpointException(_file.Path, $"{AlignmentKey} is {value} ({value.TypeName}); expected a power of two as uint32");
    }

    private (string Name, StoredType Type, long[] Shape, ulong Offset) ReadTensor(long index)
    {
        string name = _cursor.Text($"the name of tensor {index}", strict: true, MaxName), shown = CheckpointException.Quote(name);
        uint dimensions = _cursor.UInt32($"the number of dimensions of {shown}");
        if (dimensions > MaxDimensions)
        {
            throw _cursor.Error($"tensor {shown} has {dimensions} dimensions; at most {MaxDimensions} are allowed");
        }
        var shape = new long[dimensions];
        for (int d = shape.Length - 1; d >= 0; d--) // the file has the fastest one first
        {
            ulong size = _cursor.UInt64($"a size of {shown}");
            shape[d] = size <= long.MaxValue ? (long)size : throw _cursor.Error($"tensor {shown} has a size of {size}");
        }
        uint id = _cursor.UInt32($"the type of {shown}");
        if (!GgufTypes.All.TryGetValue(id, out StoredType? type))
        {
            throw _cursor.Error($"tensor {shown} has the type {id}, which is unknown or was removed from the format; known are {string.Join(", ", GgufTypes.All.Values)}");
        }
        if (shape.Length > 0 && shape[^1] % type.BlockElements != 0)
        {
            throw _cursor.Error($"tensor {shown} has rows of {shape[^1]} elements, which do not fill whole blocks of {type.BlockElements} {type} elements");
        }
        return (name, type, shape, _cursor.UInt64($"the offset of {shown}"));
    }

    private void Place(List<(string Name, StoredType Type, long[] Shape, ulong Offset)> infos, int alignment)
    {
        long data = (_cursor.Position + alignment - 1) / alignment * alignment;
        var names = new HashSet<string>();
        foreach ((string name, StoredType type, long[] shape, ulong offset) in infos)
        {
            string shown = CheckpointException.Quote(name);
            if (!names.Add(name))
            {
                throw new CheckpointException(_file.Path, $"the tensor {shown} is there twice");
            }
            if (offset % (ulong)alignment != 0)
            {
                throw new CheckpointException(_file.Path, $"tensor {shown} begins at {offset} of the data, which is no multiple of the alignment {alignment}");
            }
            TensorEntry entry;
            try
            {
                entry = new TensorEntry(name, type, shape) { Offset = checked(data + (long)Math.Min(offset, long.MaxValue / 2)) };
            }
            catch (Exception e) when (e is OverflowException or ArgumentException)
            {
                throw new CheckpointException(_file.Path, $"tensor {shown} of type {type} and shape [{string.Join(", ", shape)}] is larger than any file", e);
            }
            if (entry.Offset > _file.Length - entry.ByteCount)
            {
                throw new CheckpointException(_file.Path, $"tensor {entry} takes bytes {entry.Offset} to {(Int128)entry.Offset + entry.ByteCount}; the file has {_file.Length} (cut short?)");
            }
            Tensors.Add(entry);
        }
        CheckOverlaps();
    }

    private void CheckOverlaps()
    {
        TensorEntry? last = null;
        foreach (TensorEntry entry in Tensors.Where(t => t.ByteCount > 0).OrderBy(t => t.Offset))
        {
            if (last is not null && last.Offset + last.ByteCount > entry.Offset)
            {
                throw new CheckpointException(_file.Path, $"the tensors {CheckpointException.Quote(last.Name)} and {CheckpointException.Quote(entry.Name)} share bytes");
            }
            last = entry;
        }
    }
}
