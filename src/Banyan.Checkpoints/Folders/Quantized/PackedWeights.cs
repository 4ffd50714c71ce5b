using Banyan.Quant;

namespace Banyan.Checkpoints.Quantized;

/// <summary>
/// The packed integers of compressed-tensors: <c>weight_packed</c> (out, words), a little-endian stream of codes + 2^(bits - 1) along in; <c>weight_scale</c> (out, groups);
/// <c>weight_shape</c>; where zeros are not 0 <c>weight_zero_point</c>, packed along out. w = scale (q - zero).
/// </summary>
internal sealed class PackedIntegerWeight(string prefix, IReadOnlyDictionary<string, ICheckpointReader> files) : QuantizedWeight(prefix, files)
{
    private const string Packed = "weight_packed", Scale = "weight_scale", Zero = "weight_zero_point", Sizes = "weight_shape";

    public override IReadOnlyList<string> Parts { get; } = [Packed, Scale, Zero, Sizes, "weight_g_idx", "input_scale", "output_scale"];

    protected override long[] Shape
    {
        get
        {
            byte[] bytes = Bytes(Sizes);
            return bytes.Length == 16 ? [BitConverter.ToInt64(bytes), BitConverter.ToInt64(bytes, 8)] : throw new CheckpointException(Path, $"{Entry(Sizes)} is no shape of a matrix");
        }
    }

    protected override void Decode(Span<float> values, int rows, int columns)
    {
        uint[] codes = Words(Packed);
        float[] scales = Floats(Scale);
        int words = codes.Length / rows, bits = words * 32 / columns, groups = scales.Length / rows, size = columns / groups, middle = 1 << (bits - 1);
        uint[]? zeros = Has(Zero) ? Words(Zero) : null;
        for (int o = 0; o < rows; o++)
        {
            for (int i = 0; i < columns; i++)
            {
                int g = i / size, zero = zeros is null ? middle : Code(zeros, g, groups, o, bits);
                values[o * columns + i] = (Code(codes, o * words, 1, i, bits) - zero) * scales[o * groups + g];
            }
        }
    }
}

/// <summary>
/// Four-bit floats of compressed-tensors: <c>weight_packed</c> (out, in / 2), the first number of a byte low; <c>weight_scale</c> (out, groups): powers of two (MXFP4), or 8-bit floats under
/// one <c>weight_global_scale</c> that divides (NVFP4).
/// </summary>
internal sealed class PackedFloatWeight(string prefix, IReadOnlyDictionary<string, ICheckpointReader> files) : QuantizedWeight(prefix, files)
{
    private const string Packed = "weight_packed", Scale = "weight_scale", Global = "weight_global_scale";

    public override IReadOnlyList<string> Parts { get; } = [Packed, Scale, Global, "input_global_scale", "input_scale"];

    protected override long[] Shape => [Entry(Packed).Shape[0], Entry(Packed).Shape[1] * 2];

    protected override void Decode(Span<float> values, int rows, int columns)
    {
        byte[] codes = Bytes(Packed);
        float[] scales = Entry(Scale).Type.DType == DType.UInt8 ? [.. Bytes(Scale).Select(e => MathF.ScaleB(1, e - 127))] : Floats(Scale);
        float divisor = Has(Global) ? Floats(Global)[0] : 1;
        int size = columns * rows / scales.Length;
        for (int at = 0; at < values.Length; at++)
        {
            values[at] = Mxfp4.Doubled[codes[at / 2] >> (4 * (at % 2)) & 15] * 0.5f * (scales[at / size] / divisor);
        }
    }
}
