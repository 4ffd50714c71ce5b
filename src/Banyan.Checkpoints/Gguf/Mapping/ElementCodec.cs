using System.Runtime.InteropServices;

namespace Banyan.Checkpoints.Gguf;

/// <summary>Between stored bytes and float32.</summary>
internal static class ElementCodec
{
    /// <summary>Whether elements of this type can be read as float32.</summary>
    public static bool CanDecode(StoredType type) => type.DType is { IsFloat: true };

    /// <summary>Reads whole blocks.</summary>
    public static void Decode(StoredType type, ReadOnlySpan<byte> bytes, Span<float> values) => Convert(type.DType!, bytes, DType.Float32, MemoryMarshal.AsBytes(values), values.Length);

    /// <summary>Writes whole blocks.</summary>
    public static void Encode(StoredType type, ReadOnlySpan<float> values, Span<byte> bytes) => Convert(DType.Float32, MemoryMarshal.AsBytes(values), type.DType!, bytes, values.Length);

    private static unsafe void Convert(DType from, ReadOnlySpan<byte> source, DType to, Span<byte> destination, int count)
    {
        fixed (byte* s = source)
        {
            fixed (byte* d = destination)
            {
                var shape = new Shape(count);
                Cpu.CopyLoop.Run(Tensor.Borrow(s, shape, from, s_owner), Tensor.Borrow(d, shape, to, s_owner));
            }
        }
    }

    private static readonly object s_owner = new(); // the memory is fixed for the call
}
