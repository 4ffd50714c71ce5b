using System.Runtime.InteropServices;
using Banyan.Quant;

namespace Banyan.Checkpoints.Gguf;

/// <summary>Between stored bytes and float32.</summary>
internal static class ElementCodec
{
    /// <summary>Whether elements of this type can be read as float32.</summary>
    public static bool CanDecode(StoredType type) => type.DType is { IsFloat: true } || BlockFormats.FromName(type.Name) is not null;

    /// <summary>Whether float32 can be written as this type.</summary>
    public static bool CanEncode(StoredType type) => type.DType is { } dense ? dense == DType.Float32 || dense == DType.Float16 || dense == DType.BFloat16 : BlockFormats.FromName(type.Name) is { CanQuantize: true };

    /// <summary>Reads whole blocks.</summary>
    public static void Decode(StoredType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        if (type.DType is { } dense)
        {
            Convert(dense, bytes, DType.Float32, MemoryMarshal.AsBytes(values), values.Length);
            return;
        }
        Format(type).Dequantize(bytes, values);
    }

    /// <summary>Writes whole blocks.</summary>
    public static void Encode(StoredType type, ReadOnlySpan<float> values, Span<byte> bytes)
    {
        if (type.DType is { } dense)
        {
            Convert(DType.Float32, MemoryMarshal.AsBytes(values), dense, bytes, values.Length);
            return;
        }
        // A choice of scales for each block: on all threads.
        BlockFormat format = Format(type);
        unsafe
        {
            fixed (float* from = values)
            {
                fixed (byte* to = bytes)
                {
                    Cpu.BlockRows.Quantize(format, from, format.BlockElements, values.Length / format.BlockElements, to, ComputePool.Current);
                }
            }
        }
    }

    private static BlockFormat Format(StoredType type) => BlockFormats.FromName(type.Name) ?? throw new ArgumentException($"{type} is no type of numbers that can be read");

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
