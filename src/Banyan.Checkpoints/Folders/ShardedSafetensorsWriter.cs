using System.Globalization;

namespace Banyan.Checkpoints;

/// <summary>
/// Writes <c>model.safetensors</c>, or, where the tensors exceed the size of one shard, <c>model-00001-of-0000N.safetensors</c> and the index.
/// Tensors are announced first and then written in any order and in pieces. <see cref="Commit"/> gives every file its name, the index last.
/// </summary>
public sealed class ShardedSafetensorsWriter : IDisposable
{
    private static readonly Dictionary<string, string> FromPytorch = new() { ["format"] = "pt" };

    private readonly string _folder;
    private readonly Dictionary<string, int> _shardOf = [];
    private readonly List<(string FileName, SafetensorsWriter Writer)> _shards = [];
    private long _totalBytes;

    private ShardedSafetensorsWriter(string folder) => _folder = folder;

    /// <summary>transformers' default: 5 GB.</summary>
    public const long DefaultMaxShardBytes = 5_000_000_000;

    /// <summary>Begins the files.</summary>
    /// <param name="folder">The folder; created where it is missing.</param>
    /// <param name="tensors">Every tensor, in the order in which shards are filled.</param>
    /// <param name="maxShardBytes">The most data bytes in one file; a larger tensor gets a file of its own.</param>
    public static ShardedSafetensorsWriter Create(string folder, IEnumerable<TensorEntry> tensors, long maxShardBytes = DefaultMaxShardBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        Directory.CreateDirectory(folder);
        var writer = new ShardedSafetensorsWriter(folder);
        try
        {
            writer.Begin(Plan(tensors, maxShardBytes));
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Writes the next bytes of a tensor.</summary>
    public void Write(string name, ReadOnlySpan<byte> bytes) => WriterOf(name).Write(name, bytes);

    /// <summary>Writes the next bytes of a tensor, of any number.</summary>
    public void Write(string name, TensorBytes bytes) => WriterOf(name).Write(name, bytes);

    /// <summary>Writes a whole tensor.</summary>
    public void Write(string name, Tensor tensor) => WriterOf(name).Write(name, tensor);

    /// <summary>Flushes and names every file, then removes files of an earlier save that this one does not have.</summary>
    public void Commit()
    {
        foreach ((_, SafetensorsWriter writer) in _shards)
        {
            writer.Commit();
        }
        string index = Path.Combine(_folder, ShardIndex.FileName);
        if (_shards.Count > 1)
        {
            ShardIndex.Write(index, _shardOf.Select(p => KeyValuePair.Create(p.Key, _shards[p.Value].FileName)), _totalBytes);
        }
        else
        {
            File.Delete(index);
        }
        foreach (string stale in Directory.EnumerateFiles(_folder, "model-?????-of-?????.safetensors")
            .Append(Path.Combine(_folder, "model.safetensors")).Where(f => !_shards.Exists(s => s.FileName == Path.GetFileName(f))))
        {
            File.Delete(stale);
        }
    }

    /// <summary>Removes what was written, unless it was committed.</summary>
    public void Dispose() => _shards.ForEach(s => s.Writer.Dispose());

    private SafetensorsWriter WriterOf(string name) => _shards[_shardOf.TryGetValue(name, out int shard) ? shard
        : throw new ArgumentException($"{_folder}: tensor \"{name}\" was not announced{NearestName.Hint(name, _shardOf.Keys)}")].Writer;

    private static List<List<TensorEntry>> Plan(IEnumerable<TensorEntry> tensors, long maxShardBytes)
    {
        List<List<TensorEntry>> shards = [[]];
        long filled = 0;
        foreach (TensorEntry tensor in tensors)
        {
            if (shards[^1].Count > 0 && tensor.ByteCount > maxShardBytes - filled)
            {
                shards.Add([]);
                filled = 0;
            }
            shards[^1].Add(tensor);
            filled += tensor.ByteCount;
        }
        return shards;
    }

    private void Begin(List<List<TensorEntry>> plan)
    {
        for (int i = 0; i < plan.Count; i++)
        {
            string name = plan.Count == 1 ? "model.safetensors"
                : string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:00000}-of-{plan.Count:00000}.safetensors");
            _shards.Add((name, SafetensorsWriter.Create(Path.Combine(_folder, name), plan[i], FromPytorch)));
            foreach (TensorEntry tensor in plan[i])
            {
                _shardOf.Add(tensor.Name, i);
                _totalBytes += tensor.ByteCount;
            }
        }
    }
}
