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

/// <summary>
/// AWQ's form ("gemm"): <c>qweight</c> (in, out / 8) and <c>qzeros</c> (groups, out / 8) with eight codes in a word in the order 0 2 4 6 1 3 5 7, <c>scales</c> (groups, out).
/// w = scale (q - zero).
/// </summary>
internal sealed class AwqWeight(string prefix, IReadOnlyDictionary<string, ICheckpointReader> files, ConfigReader config) : QuantizedWeight(prefix, files)
{
    // Where in its word the column 8 w + j is.
    private static readonly int[] s_place = [0, 4, 1, 5, 2, 6, 3, 7];

    private readonly string _version = config.GetChoice("version", ["gemm"], "gemm");

    public override IReadOnlyList<string> Parts { get; } = ["qweight", "qzeros", "scales"];

    protected override long[] Shape => [Entry("qweight").Shape[1] * 8, Entry("qweight").Shape[0]];

    protected override void Decode(Span<float> values, int rows, int columns)
    {
        _ = _version;
        uint[] codes = Words("qweight"), zeros = Words("qzeros");
        float[] scales = Floats("scales");
        int words = rows / 8, size = columns / (scales.Length / rows);
        for (int i = 0; i < columns; i++)
        {
            for (int o = 0; o < rows; o++)
            {
                int shift = 4 * s_place[o % 8], code = (int)(codes[i * words + o / 8] >> shift & 15), zero = (int)(zeros[i / size * words + o / 8] >> shift & 15);
                values[o * columns + i] = (code - zero) * scales[i / size * rows + o];
            }
        }
    }
}
