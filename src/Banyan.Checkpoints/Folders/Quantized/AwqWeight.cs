namespace Banyan.Checkpoints.Quantized;

/// <summary>
/// AWQ's form ("gemm"): <c>qweight</c> (in, out / 8) and <c>qzeros</c> (groups, out / 8) with eight codes in a word in the order 0 2 4 6 1 3 5 7, <c>scales</c> (groups, out).
/// w = scale (q - zero).
/// </summary>
internal sealed class AwqWeight : QuantizedWeight
{
    // Where in its word the column 8 w + j is.
    private static readonly int[] s_place = [0, 4, 1, 5, 2, 6, 3, 7];

    public AwqWeight(string prefix, IReadOnlyDictionary<string, ICheckpointReader> files, ConfigReader config) : base(prefix, files) => config.GetChoice("version", ["gemm"], "gemm");

    public override IReadOnlyList<string> Parts { get; } = ["qweight", "qzeros", "scales"];

    protected override long[] Shape => [Entry("qweight").Shape[1] * 8, Entry("qweight").Shape[0]];

    protected override void Decode(Span<float> values, int rows, int columns)
    {
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
