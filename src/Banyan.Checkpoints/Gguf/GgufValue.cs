namespace Banyan.Checkpoints;

/// <summary>What a value of GGUF metadata is. The numbers are those of the format.</summary>
public enum GgufValueType : uint
{
    /// <summary>8-bit unsigned integer.</summary>
    UInt8 = 0,

    /// <summary>8-bit signed integer.</summary>
    Int8 = 1,

    /// <summary>16-bit unsigned integer.</summary>
    UInt16 = 2,

    /// <summary>16-bit signed integer.</summary>
    Int16 = 3,

    /// <summary>32-bit unsigned integer.</summary>
    UInt32 = 4,

    /// <summary>32-bit signed integer.</summary>
    Int32 = 5,

    /// <summary>32-bit float.</summary>
    Float32 = 6,

    /// <summary>One byte, 0 or 1.</summary>
    Bool = 7,

    /// <summary>UTF-8 text with its length before it.</summary>
    String = 8,

    /// <summary>Values of one type.</summary>
    Array = 9,

    /// <summary>64-bit unsigned integer.</summary>
    UInt64 = 10,

    /// <summary>64-bit signed integer.</summary>
    Int64 = 11,

    /// <summary>64-bit float.</summary>
    Float64 = 12,
}

/// <summary>One value of GGUF metadata.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Value">The value as the .NET type of the same width; an array is a typed .NET array (<c>float[]</c>, <c>string[]</c>), and one of arrays <c>GgufValue[]</c>.</param>
/// <param name="ElementType">The type of an array's elements; null elsewhere.</param>
public sealed record GgufValue(GgufValueType Type, object Value, GgufValueType? ElementType = null)
{
    /// <summary>A text.</summary>
    public static GgufValue Of(string value) => new(GgufValueType.String, value);

    /// <summary>A count, a size or an id.</summary>
    public static GgufValue Of(uint value) => new(GgufValueType.UInt32, value);

    /// <summary>A number.</summary>
    public static GgufValue Of(float value) => new(GgufValueType.Float32, value);

    /// <summary>True or false.</summary>
    public static GgufValue Of(bool value) => new(GgufValueType.Bool, value);

    /// <summary>Texts.</summary>
    public static GgufValue Of(string[] values) => new(GgufValueType.Array, values, GgufValueType.String);

    /// <summary>Whole numbers.</summary>
    public static GgufValue Of(int[] values) => new(GgufValueType.Array, values, GgufValueType.Int32);

    /// <summary>Numbers.</summary>
    public static GgufValue Of(float[] values) => new(GgufValueType.Array, values, GgufValueType.Float32);

    /// <summary>Bytes.</summary>
    public static GgufValue Of(byte[] values) => new(GgufValueType.Array, values, GgufValueType.UInt8);

    /// <summary>The name of the type as the specification writes it, for example <c>array[string]</c>.</summary>
    public string TypeName => Type == GgufValueType.Array ? $"array[{ElementType.ToString()!.ToLowerInvariant()}]" : Type.ToString().ToLowerInvariant();

    /// <summary>How the value is shown in one line: long texts and arrays by their beginning.</summary>
    public override string ToString() => Value switch
    {
        string text => CheckpointException.Quote(text),
        Array { Length: > 6 } array => $"{TypeName[..^1]}; {array.Length}] {string.Join(", ", array.Cast<object>().Take(4).Select(Show))}, ...",
        Array array => $"[{string.Join(", ", array.Cast<object>().Select(Show))}]",
        _ => Show(Value),
    };

    private static string Show(object value) => value is string text
        ? CheckpointException.Quote(text)
        : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)!;
}
