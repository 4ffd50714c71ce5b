namespace Banyan.Checkpoints;

/// <summary>
/// Writes a safetensors file in a stream: announce the tensors, write their bytes in any order and in pieces, then <see cref="Commit"/>.
/// Equal input gives equal bytes, laid out as the reference library does it. The file appears complete or not at all.
/// </summary>
public sealed class SafetensorsWriter : IDisposable
{
    private readonly AtomicFile _file;
    private readonly string _path;
    private readonly Dictionary<string, (TensorEntry Entry, long Written)> _tensors = [];

    private SafetensorsWriter(string path, SafetensorsLayout layout)
    {
        _path = path;
        foreach (TensorEntry entry in layout.Entries)
        {
            _tensors.Add(entry.Name, (entry, 0));
        }
        _file = AtomicFile.Create(path, layout.FileLength);
        try
        {
            _file.Write(0, layout.Header);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Begins a file.</summary>
    /// <param name="path">Where the file will be.</param>
    /// <param name="tensors">The tensors, in any order.</param>
    /// <param name="metadata">Texts for <c>__metadata__</c>; transformers wants <c>format</c> = <c>pt</c>.</param>
    /// <exception cref="ArgumentException">Two tensors have one name, or a type that safetensors does not know.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static SafetensorsWriter Create(string path, IEnumerable<TensorEntry> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        new(path, new SafetensorsLayout(tensors, metadata));

    /// <summary>Writes a small file at once.</summary>
    /// <param name="path">Where the file will be.</param>
    /// <param name="tensors">Tensors with their bytes, row-major and little-endian.</param>
    /// <param name="metadata">Texts for <c>__metadata__</c>.</param>
    public static void Write(
        string path, IReadOnlyCollection<(TensorEntry Entry, ReadOnlyMemory<byte> Bytes)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        using SafetensorsWriter writer = Create(path, tensors.Select(t => t.Entry), metadata);
        foreach ((TensorEntry entry, ReadOnlyMemory<byte> bytes) in tensors)
        {
            writer.Write(entry.Name, bytes.Span);
        }
        writer.Commit();
    }

    /// <summary>Writes a file of tensors, one after the other.</summary>
    /// <param name="path">Where the file will be.</param>
    /// <param name="tensors">Names and tensors; views are written as they appear, in row-major order.</param>
    /// <param name="metadata">Texts for <c>__metadata__</c>; transformers wants <c>format</c> = <c>pt</c>.</param>
    public static void Write(string path, IEnumerable<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        List<(string Name, Tensor Tensor)> list = [.. tensors];
        using SafetensorsWriter writer = Create(path, list.Select(t => TensorEntry.Of(t.Name, t.Tensor)), metadata);
        list.ForEach(t => writer.Write(t.Name, t.Tensor));
        writer.Commit();
    }

    /// <summary>Writes a whole tensor.</summary>
    /// <exception cref="ArgumentException">Type or shape are not those announced.</exception>
    public void Write(string name, Tensor tensor)
    {
        TensorEntry entry = TensorEntry.Of(name, tensor);
        if (_tensors.TryGetValue(name, out (TensorEntry Entry, long Written) announced) && announced.Entry.ToString() != entry.ToString())
        {
            throw new ArgumentException($"{_path}: {announced.Entry} was announced; {entry} is given");
        }
        using TensorBytes bytes = TensorBytes.Of(tensor);
        Write(name, bytes);
    }

    /// <summary>Writes the next bytes of a tensor, of any number.</summary>
    public void Write(string name, TensorBytes bytes)
    {
        const int Piece = 1 << 26;
        for (long done = 0; done < bytes.Length; done += Piece)
        {
            Write(name, bytes.Slice(done, (int)Math.Min(Piece, bytes.Length - done)));
        }
    }

    /// <summary>Writes the next bytes of a tensor.</summary>
    /// <exception cref="ArgumentException">The tensor was not announced, or gets more bytes than its shape has.</exception>
    public void Write(string name, ReadOnlySpan<byte> bytes)
    {
        if (!_tensors.TryGetValue(name, out (TensorEntry Entry, long Written) tensor))
        {
            throw new ArgumentException($"{_path}: tensor \"{name}\" was not announced{NearestName.Hint(name, _tensors.Keys)}");
        }
        if (bytes.Length > tensor.Entry.ByteCount - tensor.Written)
        {
            throw new ArgumentException($"{_path}: {tensor.Entry} has {tensor.Entry.ByteCount} bytes; {tensor.Written} are written, {bytes.Length} more do not fit");
        }
        _file.Write(tensor.Entry.Offset + tensor.Written, bytes);
        _tensors[name] = (tensor.Entry, tensor.Written + bytes.Length);
    }

    /// <summary>Flushes the file to the disk and gives it its name.</summary>
    /// <exception cref="InvalidOperationException">A tensor is incomplete.</exception>
    public void Commit()
    {
        foreach ((TensorEntry entry, long written) in _tensors.Values)
        {
            if (written != entry.ByteCount)
            {
                throw new InvalidOperationException($"{_path}: {entry} has {entry.ByteCount} bytes, only {written} were written");
            }
        }
        _file.Commit();
    }

    /// <summary>Removes what was written, unless it was committed.</summary>
    public void Dispose() => _file.Dispose();
}
