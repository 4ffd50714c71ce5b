namespace Banyan.Checkpoints.Quantized;

/// <summary>
/// One code of 8 bits for each number: <c>weight</c> (out, in) in int8 or an 8-bit float under <c>weight_scale</c> (compressed-tensors: one, one for each row, group of a row, or block of rows and
/// columns), <c>weight_scale_inv</c> (one for each block, as DeepSeek V3) or <c>SCB</c> (bitsandbytes: the largest magnitude of each row).
/// </summary>
internal sealed class ScaledWeight(string prefix, IReadOnlyDictionary<string, ICheckpointReader> files, string scale, (int Rows, int Columns) block) : QuantizedWeight(prefix, files)
{
    public override IReadOnlyList<string> Parts { get; } = ["weight", scale, "input_scale", "output_scale", "weight_format", "k_scale", "v_scale", "weight_zero_point"];

    protected override long[] Shape => Entry("weight").Shape.ToArray();

    protected override void Decode(Span<float> values, int rows, int columns)
    {
        float[] codes = Floats("weight");
        float[] scales = Entry(scale).Type.DType == DType.UInt8 ? [.. Bytes(scale).Select(e => MathF.ScaleB(1, e - 127))] : Floats(scale);
        bool isSingle = scales.Length == 1, isBlock = block.Rows > 0;
        int across = isBlock ? (columns + block.Columns - 1) / block.Columns : Math.Max(1, scales.Length / rows), width = isBlock ? block.Columns : columns / across;
        for (int at = 0; at < values.Length; at++)
        {
            int o = at / columns, i = at % columns, line = isBlock ? o / block.Rows : o;
            float s = scales[isSingle ? 0 : line * across + i / width];
            values[at] = scale == "SCB" ? codes[at] * s / 127 : codes[at] * s;
        }
    }
}
