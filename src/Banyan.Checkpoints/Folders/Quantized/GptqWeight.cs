namespace Banyan.Checkpoints.Quantized;

/// <summary>
/// GPTQ's form (AutoGPTQ, GPTQModel): <c>qweight</c> (in * bits / 32, out), a stream of codes along in; <c>qzeros</c> (groups, out * bits / 32), along out; <c>scales</c> (groups, out);
/// <c>g_idx</c> (in), the group of each input. w = scale (q - zero). The first version of the form stores zero - 1.
/// </summary>
internal sealed class GptqWeight(string prefix, IReadOnlyDictionary<string, ICheckpointReader> files, ConfigReader config) : QuantizedWeight(prefix, files)
{
    private readonly int _bits = config.GetInt("bits", 4, 2, 8);
    private readonly bool _isFirstVersion = config.GetChoice("checkpoint_format", ["gptq", "gptq_v2"], "gptq") == "gptq";

    public override IReadOnlyList<string> Parts { get; } = ["qweight", "qzeros", "scales", "g_idx"];

    protected override long[] Shape => [Entry("qweight").Shape[1], Entry("qweight").Shape[0] * 32 / _bits];

    protected override void Decode(Span<float> values, int rows, int columns)
    {
        uint[] codes = Words("qweight"), zeros = Words("qzeros");
        float[] scales = Floats("scales");
        int groups = scales.Length / rows, zeroWords = zeros.Length / groups, size = (columns + groups - 1) / groups;
        uint[]? group = Has("g_idx") ? Words("g_idx") : null;
        for (int o = 0; o < rows; o++)
        {
            for (int i = 0; i < columns; i++)
            {
                int g = group is null ? i / size : checked((int)group[i]), zero = Code(zeros, g * zeroWords, 1, o, _bits) + (_isFirstVersion ? 1 : 0);
                values[o * columns + i] = scales[g * rows + o] * (Code(codes, o, rows, i, _bits) - zero);
            }
        }
    }
}
