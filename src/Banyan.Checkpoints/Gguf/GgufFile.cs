using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Banyan.Checkpoints;

/// <summary>
/// A memory-mapped GGUF file (version 2 or 3), with the names, types and bytes that it has; shapes are row-major, so the reverse of the file's. The parts of a
/// split file (<c>NAME-00001-of-00003.gguf</c>) are opened together. For a model under Hugging Face names see <see cref="GgufModel"/>.
/// </summary>
public sealed partial class GgufFile : ICheckpointReader
{
    private readonly List<MappedFile> _files = [];
    private readonly OrderedDictionary<string, (TensorEntry Entry, MappedFile File)> _tensors = [];

    private GgufFile(string path) => Path = path;

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => _tensors.Keys;

    /// <summary>The metadata, of a split file that of its first part.</summary>
    public GgufMetadata Metadata { get; private set; } = null!;

    /// <summary>Opens a file, or a split file by any of its parts.</summary>
    /// <exception cref="CheckpointException">The file is damaged or no GGUF file, or a part is missing.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static GgufFile Open(string path)
    {
        var result = new GgufFile(path);
        try
        {
            Match part = PartName().Match(System.IO.Path.GetFileName(path));
            if (part.Success)
            {
                result.OpenParts(part.Groups[1].Value, part.Groups[2].Value);
            }
            else
            {
                result.Add(path, null);
            }
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        entry = _tensors.TryGetValue(name, out var found) ? found.Entry : null;
        return entry is not null;
    }

    /// <inheritdoc/>
    public TensorBytes Map(string name)
    {
        TensorEntry entry = this.Get(name);
        return _tensors[name].File.Window(entry.Offset, entry.ByteCount);
    }

    /// <summary>A part of a tensor's bytes.</summary>
    internal TensorBytes Window(string name, long offset, long length)
    {
        TensorEntry entry = this.Get(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + length, entry.ByteCount);
        return _tensors[name].File.Window(entry.Offset + offset, length);
    }

    /// <summary>Ends the mappings, each once its last <see cref="TensorBytes"/> is disposed too.</summary>
    public void Dispose() => _files.ForEach(f => f.Dispose());

    private void OpenParts(string name, string ofCount)
    {
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        int count = int.Parse(ofCount, System.Globalization.CultureInfo.InvariantCulture);
        for (int i = 1; i <= count; i++)
        {
            string part = System.IO.Path.Combine(folder, $"{name}-{i:D5}-of-{ofCount}.gguf");
            if (!File.Exists(part))
            {
                throw new CheckpointException(Path, $"the part {CheckpointException.Quote(System.IO.Path.GetFileName(part))} is not in the folder");
            }
            Add(part, i - 1);
        }
        if (Metadata.TryGet("split.tensors.count", out _) && Metadata.GetLong("split.tensors.count") is var expected && expected != _tensors.Count)
        {
            throw new CheckpointException(Path, $"the parts hold {_tensors.Count} tensors; split.tensors.count says {expected}");
        }
    }

    private void Add(string path, int? part)
    {
        MappedFile file = MappedFile.Open(path);
        _files.Add(file);
        GgufHeader header = GgufHeader.Read(file);
        Metadata ??= header.Metadata;
        if (part is { } index && header.Metadata.Has("split.no") && header.Metadata.GetLong("split.no") != index)
        {
            throw new CheckpointException(path, $"split.no is {header.Metadata["split.no"]}; its name says {index} (counted from 0)");
        }
        foreach (TensorEntry entry in header.Tensors)
        {
            if (!_tensors.TryAdd(entry.Name, (entry, file)))
            {
                throw new CheckpointException(path, $"the tensor {CheckpointException.Quote(entry.Name)} is in another part too");
            }
        }
    }

    [GeneratedRegex(@"^(.+)-[0-9]{5}-of-([0-9]{5})\.gguf$")]
    private static partial Regex PartName();
}
