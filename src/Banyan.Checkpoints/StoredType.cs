namespace Banyan.Checkpoints;

/// <summary>
/// How a file stores elements: <see cref="BlockBytes"/> bytes hold <see cref="BlockElements"/> elements. Wider than <see cref="Banyan.DType"/>:
/// files also carry types that no tensor computes with (<c>U32</c>, <c>Q4_K</c>).
/// </summary>
/// <param name="Name">The name in the file's own spelling, for example <c>BF16</c>.</param>
/// <param name="BlockElements">Elements in one block: 1 for plain types.</param>
/// <param name="BlockBytes">Bytes of one block.</param>
/// <param name="DType">The same type as a tensor element type, or null where tensors have none.</param>
public sealed record StoredType(string Name, int BlockElements, int BlockBytes, DType? DType)
{
    /// <summary>The storage of a tensor element type.</summary>
    public static StoredType From(DType type) => new(type.SafetensorsName, type.BlockElements, type.BlockBytes, type);

    /// <summary>Bytes of <paramref name="elements"/> elements. Throws <see cref="OverflowException"/> beyond 2^63 and
    /// <see cref="ArgumentException"/> where the elements do not fill whole blocks.</summary>
    public long ByteCount(long elements) => elements % BlockElements == 0
        ? checked(elements / BlockElements * BlockBytes)
        : throw new ArgumentException($"{elements} elements do not fill whole blocks of {BlockElements} {Name} elements");

    /// <inheritdoc/>
    public override string ToString() => Name;
}
