namespace Banyan.Checkpoints;

// What a pickle can hold here: null, bool, long, BigInteger, double, string, byte[], and the classes of this file. Nothing is ever called.

/// <summary>A list, a tuple or a set: in the order of the file.</summary>
internal sealed class PickleList : List<object?>;

/// <summary>A dictionary: keys and values in the order of the file.</summary>
internal sealed class PickleDict
{
    public List<(object? Key, object? Value)> Items { get; } = [];
}

/// <summary>The name of something in a Python module.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>Where the numbers of tensors lie. <paramref name="Type"/> is null for bytes without a type.</summary>
internal sealed record PickleStorage(StoredType? Type, int Parts, string Key, long ByteCount, long ViewOffset);

/// <summary>A tensor as a view of a storage; offsets, sizes and strides in elements.</summary>
internal sealed record PickleTensor(PickleStorage Storage, StoredType Type, int Parts, long Offset, long[] Size, long[] Stride);
