namespace Banyan;

/// <summary>What kind of number an element is.</summary>
public enum DTypeKind
{
    /// <summary>A floating-point number.</summary>
    Float,

    /// <summary>A signed integer.</summary>
    Signed,

    /// <summary>An unsigned integer.</summary>
    Unsigned,

    /// <summary>True or false, one byte.</summary>
    Bool,

    /// <summary>Numbers that share scales, in the blocks of a <see cref="Quant.BlockFormat"/>.</summary>
    Blocks,
}

/// <summary>
/// Describes how elements lie in memory: <see cref="BlockBytes"/> bytes hold <see cref="BlockElements"/> elements. Plain types have one
/// element per block; quantized block formats have more.
/// </summary>
/// <remarks>Instances are unique: compare with <c>==</c>.</remarks>
public sealed class DType
{
    /// <summary>IEEE 754 single precision: the type of computation.</summary>
    public static readonly DType Float32 = new("float32", "F32", 4, DTypeKind.Float);

    /// <summary>IEEE 754 double precision: for oracles.</summary>
    public static readonly DType Float64 = new("float64", "F64", 8, DTypeKind.Float);

    /// <summary>bfloat16: the upper half of a float32.</summary>
    public static readonly DType BFloat16 = new("bfloat16", "BF16", 2, DTypeKind.Float);

    /// <summary>IEEE 754 half precision.</summary>
    public static readonly DType Float16 = new("float16", "F16", 2, DTypeKind.Float);

    /// <summary>64-bit signed integer: token ids and indices.</summary>
    public static readonly DType Int64 = new("int64", "I64", 8, DTypeKind.Signed);

    /// <summary>32-bit signed integer.</summary>
    public static readonly DType Int32 = new("int32", "I32", 4, DTypeKind.Signed);

    /// <summary>16-bit signed integer: sound.</summary>
    public static readonly DType Int16 = new("int16", "I16", 2, DTypeKind.Signed);

    /// <summary>8-bit signed integer: quantized weights.</summary>
    public static readonly DType Int8 = new("int8", "I8", 1, DTypeKind.Signed);

    /// <summary>8-bit unsigned integer: images, bytes.</summary>
    public static readonly DType UInt8 = new("uint8", "U8", 1, DTypeKind.Unsigned);

    /// <summary>True or false, one byte each (1 or 0).</summary>
    public static readonly DType Bool = new("bool", "BOOL", 1, DTypeKind.Bool);

    /// <summary>8-bit float, see <see cref="Banyan.Float8E4M3FN"/>.</summary>
    public static readonly DType Float8E4M3FN = new("float8_e4m3fn", "F8_E4M3", 1, DTypeKind.Float);

    /// <summary>8-bit float, see <see cref="Banyan.Float8E5M2"/>.</summary>
    public static readonly DType Float8E5M2 = new("float8_e5m2", "F8_E5M2", 1, DTypeKind.Float);

    /// <summary>8-bit float, see <see cref="Banyan.Float8E4M3FNUZ"/>.</summary>
    public static readonly DType Float8E4M3FNUZ = new("float8_e4m3fnuz", "F8_E4M3FNUZ", 1, DTypeKind.Float);

    /// <summary>8-bit float, see <see cref="Banyan.Float8E5M2FNUZ"/>.</summary>
    public static readonly DType Float8E5M2FNUZ = new("float8_e5m2fnuz", "F8_E5M2FNUZ", 1, DTypeKind.Float);

    /// <summary>8-bit power of two, see <see cref="Banyan.Float8E8M0FNU"/>.</summary>
    public static readonly DType Float8E8M0FNU = new("float8_e8m0fnu", "F8_E8M0", 1, DTypeKind.Float);

    /// <summary>Every element type that a tensor can have.</summary>
    public static IReadOnlyList<DType> All { get; } = [Float32, Float64, BFloat16, Float16, Int64, Int32, Int16, Int8, UInt8, Bool,
        Float8E4M3FN, Float8E5M2, Float8E4M3FNUZ, Float8E5M2FNUZ, Float8E8M0FNU];

    private DType(string name, string safetensorsName, int blockBytes, DTypeKind kind, int blockElements = 1, Quant.BlockFormat? format = null)
    {
        Format = format;
        Name = name;
        SafetensorsName = safetensorsName;
        BlockBytes = blockBytes;
        BlockElements = blockElements;
        Kind = kind;
    }

    /// <summary>The type of weights in the blocks of a format: read by linear layers and embedding tables, and converted to any other type. Not in <see cref="All"/>.</summary>
    internal static DType Of(Quant.BlockFormat format) => new(format.Name.ToLowerInvariant(), format.Name, format.BlockBytes, DTypeKind.Blocks, format.BlockElements, format);

    /// <summary>The format of the blocks, or null for plain types.</summary>
    public Quant.BlockFormat? Format { get; }

    /// <summary>PyTorch's name, for example <c>float32</c>.</summary>
    public string Name { get; }

    /// <summary>The name in a safetensors header, for example <c>F32</c>.</summary>
    public string SafetensorsName { get; }

    /// <summary>Bytes of one block.</summary>
    public int BlockBytes { get; }

    /// <summary>Elements in one block: 1 for plain types.</summary>
    public int BlockElements { get; }

    /// <summary>What kind of number an element is.</summary>
    public DTypeKind Kind { get; }

    /// <summary>True for floating-point types: only these have gradients.</summary>
    public bool IsFloat => Kind == DTypeKind.Float;

    /// <summary>Bytes that <paramref name="elements"/> elements take; throws <see cref="OverflowException"/> beyond 2^63.</summary>
    public long ByteCount(long elements) => checked((elements + BlockElements - 1) / BlockElements * BlockBytes);

    /// <summary>The type with the given safetensors name, or null.</summary>
    public static DType? FromSafetensorsName(string name) => All.FirstOrDefault(t => t.SafetensorsName == name);

    /// <inheritdoc/>
    public override string ToString() => Name;
}
