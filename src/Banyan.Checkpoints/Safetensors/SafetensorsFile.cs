using System.Diagnostics.CodeAnalysis;

namespace Banyan.Checkpoints;

/// <summary>A memory-mapped safetensors file. Opening checks the header completely; the tensors stay on disk until they are touched.</summary>
public sealed class SafetensorsFile : ICheckpointReader
{
    private readonly MappedFile _file;
    private readonly Dictionary<string, TensorEntry> _entries;

    private SafetensorsFile(MappedFile file, SafetensorsHeader header)
    {
        _file = file;
        _entries = header.Entries;
        Names = [.. header.Entries.Values.OrderBy(e => e.Offset).ThenBy(e => e.ByteCount).Select(e => e.Name)];
        Metadata = header.Metadata;
    }

    /// <inheritdoc/>
    public string Path => _file.Path;

    /// <summary>Every tensor's name, in the order of the data.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The texts of <c>__metadata__</c> in the order of the file, for example <c>format</c> = <c>pt</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="CheckpointException">The file is damaged or no safetensors file; the message names the tensor, what was found and expected.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static SafetensorsFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            return new SafetensorsFile(file, SafetensorsHeader.Read(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out TensorEntry? entry) => _entries.TryGetValue(name, out entry);

    /// <inheritdoc/>
    public TensorBytes Map(string name)
    {
        TensorEntry entry = this.Get(name);
        return _file.Window(entry.Offset, entry.ByteCount);
    }

    /// <summary>Ends the mapping, once the last <see cref="TensorBytes"/> is disposed too.</summary>
    public void Dispose() => _file.Dispose();
}
