using System.Runtime.InteropServices;

namespace Banyan.Testing;

/// <summary>Slow, obvious conversions from stored bytes to numbers: oracles never depend on the kernels under test.</summary>
public static class ElementReader
{
    /// <summary>Numbers of any plain float or integer type as float64.</summary>
    public static double[] Doubles(string type, ReadOnlySpan<byte> bytes) => type switch
    {
        "F64" => MemoryMarshal.Cast<byte, double>(bytes).ToArray(),
        "F32" => Map<float>(bytes, v => v),
        "F16" => Map<Half>(bytes, v => (double)v),
        "BF16" => Map<ushort>(bytes, v => BitConverter.UInt32BitsToSingle((uint)v << 16)),
        "U64" => Map<ulong>(bytes, v => v),
        _ => Array.ConvertAll(Longs(type, bytes), v => (double)v),
    };

    /// <summary>Numbers of any integer type as int64.</summary>
    public static long[] Longs(string type, ReadOnlySpan<byte> bytes) => type switch
    {
        "I64" => MemoryMarshal.Cast<byte, long>(bytes).ToArray(),
        "U64" => Map<ulong, long>(bytes, v => checked((long)v)),
        "I32" => Map<int, long>(bytes, v => v),
        "U32" => Map<uint, long>(bytes, v => v),
        "I16" => Map<short, long>(bytes, v => v),
        "U16" => Map<ushort, long>(bytes, v => v),
        "I8" => Map<sbyte, long>(bytes, v => v),
        "U8" or "BOOL" => Map<byte, long>(bytes, v => v),
        _ => throw new ArgumentException($"{type} is no plain integer type"),
    };

    private static double[] Map<T>(ReadOnlySpan<byte> bytes, Converter<T, double> convert) where T : unmanaged => Map<T, double>(bytes, convert);

    private static R[] Map<T, R>(ReadOnlySpan<byte> bytes, Converter<T, R> convert) where T : unmanaged =>
        Array.ConvertAll(MemoryMarshal.Cast<byte, T>(bytes).ToArray(), convert);
}
