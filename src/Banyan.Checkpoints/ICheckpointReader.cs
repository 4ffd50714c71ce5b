using System.Diagnostics.CodeAnalysis;

namespace Banyan.Checkpoints;

/// <summary>Named tensors in a file or folder, whatever its format. Opening reads names and shapes; numbers are read when asked for.</summary>
/// <remarks>Safe for concurrent readers.</remarks>
public interface ICheckpointReader : IDisposable
{
    /// <summary>The file or folder.</summary>
    string Path { get; }

    /// <summary>Every tensor's name, in the order of the file.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>Finds a tensor by its name.</summary>
    bool TryGet(string name, [NotNullWhen(true)] out TensorEntry? entry);

    /// <summary>The bytes of a tensor, row-major and little-endian: the mapped file itself where they lie there so, a copy elsewhere.</summary>
    /// <exception cref="CheckpointException">There is no such tensor, or its data is damaged.</exception>
    TensorBytes Map(string name);
}

/// <summary>A checkpoint that may hold weights in blocks.</summary>
public interface IBlockReader
{
    /// <summary>The tensor in the blocks that the file has (<see cref="DTypeKind.Blocks"/>), or null where it is stored otherwise or does not consist of whole rows of them.</summary>
    Tensor? MapBlocks(string name);
}

/// <summary>What every checkpoint reader can do.</summary>
public static class CheckpointReaderExtensions
{
    /// <summary>The tensor of this name. Throws <see cref="CheckpointException"/> with the nearest names where there is none.</summary>
    public static TensorEntry Get(this ICheckpointReader reader, string name) => reader.TryGet(name, out TensorEntry? entry)
        ? entry
        : throw new CheckpointException(reader.Path, $"no tensor {CheckpointException.Quote(name)}{NearestName.Hint(name, reader.Names)}");

    /// <summary>Copies the bytes of a whole tensor.</summary>
    /// <param name="reader">The checkpoint.</param>
    /// <param name="name">The tensor.</param>
    /// <param name="destination">Exactly <see cref="TensorEntry.ByteCount"/> bytes.</param>
    public static void Read(this ICheckpointReader reader, string name, Span<byte> destination)
    {
        using TensorBytes bytes = reader.Map(name);
        bytes.CopyTo(destination);
    }

    /// <summary>Copies the rows <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> - 1 (indices along the first dimension).</summary>
    /// <param name="reader">The checkpoint.</param>
    /// <param name="name">The tensor, of at least one dimension.</param>
    /// <param name="first">Index of the first row.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="destination">Exactly <paramref name="count"/> times <see cref="TensorEntry.RowBytes"/> bytes.</param>
    public static void ReadRows(this ICheckpointReader reader, string name, long first, long count, Span<byte> destination)
    {
        TensorEntry entry = reader.Get(name);
        long rows = entry.Shape.Length == 0 ? 0 : entry.Shape[0];
        if (first < 0 || count < 0 || first > rows - count)
        {
            throw new ArgumentOutOfRangeException(nameof(first), $"rows {first} to {first + count} of {entry}: it has {rows} rows");
        }
        if (destination.Length != count * entry.RowBytes)
        {
            throw new ArgumentException($"{count} rows of {entry} take {count * entry.RowBytes} bytes, the destination has {destination.Length}");
        }
        using TensorBytes bytes = reader.Map(name);
        bytes.Slice(first * entry.RowBytes, destination.Length).CopyTo(destination);
    }
}
