using System.Numerics;

namespace Banyan.Checkpoints;

/// <summary>A file's object and the places of its storages.</summary>
internal sealed class PytorchContents
{
    private static readonly BigInteger s_magic = BigInteger.Parse("1950a86a20f9469cfc6c", System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture);

    private readonly MappedFile _file;
    private readonly Dictionary<string, long> _keys = [];   // storages that the pickle mentions: bytes

    private PytorchContents(MappedFile file) => _file = file;

    public object? Root { get; private set; }

    /// <summary>Offset in the file of each storage.</summary>
    public Dictionary<string, long> Storages { get; } = [];

    public static PytorchContents Read(MappedFile file)
    {
        var contents = new PytorchContents(file);
        using TensorBytes bytes = file.Window(0, file.Length);
        ReadOnlySpan<byte> head = bytes.Slice(0, (int)Math.Min(64, bytes.Length));
        if (head.StartsWith("PK\x03\x04"u8))
        {
            contents.ReadZip(bytes);
        }
        else if (head.StartsWith("version https://git-lfs"u8))
        {
            throw new CheckpointException(file.Path, "is a git-lfs pointer, not the file itself: fetch it with 'git lfs pull'");
        }
        else
        {
            contents.ReadLegacy(bytes);
        }
        return contents;
    }

    private CheckpointException Error(string problem) => new(_file.Path, problem);

    private void ReadZip(TensorBytes bytes)
    {
        Dictionary<string, (long Offset, long Length)> records = ZipRecords.Read(_file);
        string pickle = records.Keys.SingleOrDefault(n => n.EndsWith("/data.pkl", StringComparison.Ordinal) && n.IndexOf('/') == n.LastIndexOf('/'))
            ?? throw Error("the zip file has no record data.pkl; expected a file of torch.save");
        string folder = pickle[..^"data.pkl".Length];
        if (records.ContainsKey(folder + "constants.pkl") || records.Keys.Any(n => n.StartsWith(folder + "code/", StringComparison.Ordinal)))
        {
            throw Error("is a TorchScript archive, which holds code; expected a file of torch.save with tensors");
        }
        if (records.TryGetValue(folder + "byteorder", out (long Offset, long Length) order) && !bytes.Slice(order.Offset, (int)Math.Min(order.Length, 16)).SequenceEqual("little"u8))
        {
            throw Error("the numbers are big-endian; expected little-endian");
        }
        (long at, long length) = records[pickle];
        Root = Unpickler.Read(bytes, ref at, at + length, Storage, Error);
        foreach ((string key, long size) in _keys)
        {
            if (!records.TryGetValue($"{folder}data/{key}", out (long Offset, long Length) record) || record.Length < size)
            {
                throw Error($"the storage {CheckpointException.Quote(key)} should have {size} bytes; {(record.Offset == 0 ? "it is missing" : $"it has {record.Length}")}");
            }
            Storages[key] = record.Offset;
        }
    }

    // Before PyTorch 1.6: magic number, protocol, facts of the machine, the object, the keys of the storages, and their numbers one by one.
    private void ReadLegacy(TensorBytes bytes)
    {
        long at = 0, end = bytes.Length;
        if (end == 0)
        {
            throw Error("the file is empty");
        }
        object? Next() => Unpickler.Read(bytes, ref at, end, Storage, Error);
        object? magic = Next();
        if (magic is not BigInteger number || number != s_magic || Next() is not 1001L)
        {
            throw Error("is no file of torch.save");
        }
        if (Next() is PickleDict machine && machine.Items.Exists(i => i is { Key: "little_endian", Value: false }))
        {
            throw Error("the numbers are big-endian; expected little-endian");
        }
        Root = Next();
        foreach (object? key in Next() as PickleList ?? throw Error("the list of storages is missing"))
        {
            if (key is not string name || !_keys.TryGetValue(name, out long size))
            {
                throw Error("the list of storages names one that no tensor uses");
            }
            if (size > end - at - sizeof(long))
            {
                throw Error($"the storage {CheckpointException.Quote(name)} of {size} bytes reaches beyond the end of the file");
            }
            Storages[name] = at + sizeof(long);   // behind its element count
            at += sizeof(long) + size;
        }
        if (_keys.Keys.FirstOrDefault(k => !Storages.ContainsKey(k)) is { } missing)
        {
            throw Error($"the storage {CheckpointException.Quote(missing)} is missing");
        }
    }

    // ('storage', class, key, device, elements[, (view key, offset, size)])
    private PickleStorage Storage(PickleList reference)
    {
        if (reference is not ["storage", PickleGlobal type, string key, string, long elements, ..] || reference.Count > 6 || PickleTypes.OfStorage(type) is not { } stored
            || elements < 0 || key.AsSpan().IndexOfAny("/\\\0") >= 0)
        {
            throw Error("a reference to a storage makes no sense");
        }
        int size = (stored.Type?.BlockBytes ?? 1) * stored.Parts;
        if (elements > _file.Length / size)
        {
            throw Error($"the storage {CheckpointException.Quote(key)} has {elements} elements, more than the file can hold");
        }
        long bytes = elements * size, offset = 0;
        if (_keys.TryGetValue(key, out long known) && known != bytes)
        {
            throw Error($"the storage {CheckpointException.Quote(key)} has two sizes");
        }
        _keys[key] = bytes;
        if (reference.Count == 6 && reference[5] is not null)
        {
            (offset, bytes) = reference[5] is PickleList and [string, long first, long count] && first >= 0 && count >= 0 && first <= elements && count <= elements - first
                ? (first * size, count * size)
                : throw Error("a view of a storage makes no sense");
        }
        return new PickleStorage(stored.Type, stored.Parts, key, bytes, offset);
    }
}
