using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Banyan.Checkpoints;

/// <summary>
/// A file of <c>torch.save</c> (<c>.bin</c>, <c>.pt</c>, <c>.pth</c>, <c>.ckpt</c>), in the zip form or the one before PyTorch 1.6: tensors and plain values in
/// nested containers. The pickle inside is only read, never executed; a file that names anything but tensors and plain containers is refused by that name.
/// </summary>
/// <remarks>
/// Tensors are named by their path: <c>model.layers.0.weight</c> for <c>{"model": {"layers.0.weight": …}}</c>, numbers for places in lists, and
/// <c>tensor</c> where the file is one tensor. They are mapped where they lie row by row, and copied where they are transposed or spread.
/// </remarks>
public sealed class PytorchFile : ICheckpointReader
{
    private const int MaxDepth = 64, MaxItems = 1 << 20;

    private readonly MappedFile _file;
    private readonly Dictionary<string, (TensorEntry Entry, PickleTensor Tensor, long Offset)> _tensors = [];
    private readonly List<string> _names = [];
    private readonly Dictionary<string, object?> _values = [];
    private int _items;

    private PytorchFile(MappedFile file, PytorchContents contents)
    {
        _file = file;
        Collect(contents.Root is PickleTensor ? "tensor" : "", contents.Root, 0, contents);
    }

    /// <inheritdoc/>
    public string Path => _file.Path;

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => _names;

    /// <summary>What is no tensor, by its path: null, bool, long, BigInteger, double, string or byte[].</summary>
    public IReadOnlyDictionary<string, object?> Values => _values;

    /// <summary>Opens a file: reads the pickle and checks that every tensor lies inside.</summary>
    /// <exception cref="CheckpointException">The file is damaged, compressed, holds code or names something that is no tensor.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static PytorchFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            return new PytorchFile(file, PytorchContents.Read(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        bool found = _tensors.TryGetValue(name, out (TensorEntry Entry, PickleTensor, long) tensor);
        entry = tensor.Entry;
        return found;
    }

    /// <inheritdoc/>
    public TensorBytes Map(string name)
    {
        TensorEntry entry = this.Get(name);
        (_, PickleTensor tensor, long offset) = _tensors[name];
        return IsDense(tensor) ? _file.Window(offset, entry.ByteCount) : Gather(tensor, offset, entry.ByteCount);
    }

    /// <summary>Ends the mapping, once the last <see cref="TensorBytes"/> is disposed too.</summary>
    public void Dispose() => _file.Dispose();

    private CheckpointException Error(string problem) => new(Path, problem);

    private void Collect(string path, object? value, int depth, PytorchContents contents)
    {
        if (depth > MaxDepth || ++_items > MaxItems)
        {
            throw Error(depth > MaxDepth ? $"containers are nested deeper than {MaxDepth} levels" : $"there are more than {MaxItems} values");
        }
        switch (value)
        {
            case PickleTensor tensor:
                AddTensor(path, tensor, contents);
                break;
            case PickleDict dict:
                foreach ((object? key, object? item) in dict.Items)
                {
                    string name = key switch
                    {
                        string s => s,
                        long i => i.ToString(CultureInfo.InvariantCulture),
                        _ => throw Error($"a dictionary at {CheckpointException.Quote(path)} has a key that is neither text nor integer"),
                    };
                    Collect(path.Length == 0 ? name : $"{path}.{name}", item, depth + 1, contents);
                }
                break;
            case PickleList list:
                for (int i = 0; i < list.Count; i++)
                {
                    Collect(path.Length == 0 ? $"{i}" : $"{path}.{i}", list[i], depth + 1, contents);
                }
                break;
            case PickleGlobal or PickleStorage:
                _values[path] = value.ToString();
                break;
            default:
                _values[path] = value;
                break;
        }
    }

    private void AddTensor(string path, PickleTensor tensor, PytorchContents contents)
    {
        TensorEntry entry;
        try
        {
            entry = new TensorEntry(path, tensor.Type, tensor.Parts == 1 ? tensor.Size : [.. tensor.Size, tensor.Parts]);
        }
        catch (OverflowException)
        {
            throw Error($"tensor {CheckpointException.Quote(path)} is too large");
        }
        // A tensor that repeats its elements is copied: within reason.
        if (entry.ByteCount > Math.Max(16 * _file.Length, 1 << 20))
        {
            throw Error($"tensor {CheckpointException.Quote(path)} repeats a few elements to {entry.ByteCount} bytes");
        }
        long offset = contents.Storages[tensor.Storage.Key] + tensor.Storage.ViewOffset + tensor.Offset * tensor.Type.BlockBytes * tensor.Parts;
        if (!_tensors.TryAdd(path, (entry, tensor, offset)))
        {
            throw Error($"two tensors are at {CheckpointException.Quote(path)}");
        }
        _names.Add(path);
    }

    private static bool IsDense(PickleTensor tensor)
    {
        long expected = 1;
        for (int i = tensor.Size.Length - 1; i >= 0; i--)
        {
            if (tensor.Size[i] != 1 && tensor.Stride[i] != expected)
            {
                return tensor.Size.Contains(0);
            }
            expected *= tensor.Size[i];
        }
        return true;
    }

    // Copies a view row-major, element by element.
    private TensorBytes Gather(PickleTensor tensor, long offset, long byteCount)
    {
        int size = tensor.Type.BlockBytes * tensor.Parts;
        long span = 1;
        for (int i = 0; i < tensor.Size.Length; i++)
        {
            span += (tensor.Size[i] - 1) * tensor.Stride[i];
        }
        if (byteCount > int.MaxValue)
        {
            throw Error($"a transposed tensor of {byteCount} bytes cannot be copied; expected at most 2 GiB");
        }
        using TensorBytes from = _file.Window(offset, span * size);
        var to = new byte[byteCount];
        var at = new long[tensor.Size.Length];
        for (long done = 0, place = 0; done < byteCount; done += size)
        {
            from.Slice(place * size, size).CopyTo(to.AsSpan((int)done, size));
            for (int i = at.Length - 1; i >= 0; i--)
            {
                place += tensor.Stride[i];
                if (++at[i] < tensor.Size[i])
                {
                    break;
                }
                place -= tensor.Stride[i] * tensor.Size[i];
                at[i] = 0;
            }
        }
        return TensorBytes.Of(Tensor.From(to, [byteCount]));
    }
}
