namespace Banyan.Checkpoints;

/// <summary>What a checkpoint says about one tensor: name, type and shape. The numbers stay in the file until they are asked for.</summary>
public sealed class TensorEntry
{
    private readonly long[] _shape;

    /// <summary>Describes a tensor.</summary>
    /// <param name="name">The name, in Hugging Face spelling where the file has it.</param>
    /// <param name="type">How the elements are stored.</param>
    /// <param name="shape">Sizes, slowest first (row-major).</param>
    /// <exception cref="ArgumentException">A size is negative, or the elements do not fill whole blocks.</exception>
    /// <exception cref="OverflowException">The tensor has 2^63 elements or bytes, or more.</exception>
    public TensorEntry(string name, StoredType type, params ReadOnlySpan<long> shape)
    {
        Name = name;
        Type = type;
        _shape = shape.ToArray();
        ElementCount = Product(shape);
        ByteCount = type.ByteCount(ElementCount);
    }

    /// <summary>Describes a tensor of an element type that tensors have.</summary>
    /// <param name="name">The name.</param>
    /// <param name="type">The element type.</param>
    /// <param name="shape">Sizes, slowest first (row-major).</param>
    public TensorEntry(string name, DType type, params ReadOnlySpan<long> shape)
        : this(name, StoredType.From(type), shape)
    {
    }

    /// <summary>Describes a tensor in memory.</summary>
    public static TensorEntry Of(string name, Tensor tensor) => new(name, tensor.DType, tensor.Shape.Span);

    /// <summary>The tensor's name.</summary>
    public string Name { get; }

    /// <summary>How the elements are stored.</summary>
    public StoredType Type { get; }

    /// <summary>Sizes, slowest first; empty for a single number.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>Product of the sizes.</summary>
    public long ElementCount { get; }

    /// <summary>Bytes of the elements.</summary>
    public long ByteCount { get; }

    /// <summary>Bytes of one row: everything behind the first dimension.</summary>
    public long RowBytes => _shape.Length == 0 || _shape[0] == 0 ? ByteCount : ByteCount / _shape[0];

    // Where the data begins in the file; -1 where it does not lie there as it is.
    internal long Offset { get; init; } = -1;

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Type} [{string.Join(", ", _shape)}]";

    // A zero anywhere must not hide an overflow elsewhere: the sizes are multiplied with zeros counted as one.
    private static long Product(ReadOnlySpan<long> shape)
    {
        long product = 1;
        bool empty = false;
        foreach (long size in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(size, nameof(shape));
            empty |= size == 0;
            product = checked(product * Math.Max(size, 1));
        }
        return empty ? 0 : product;
    }
}
