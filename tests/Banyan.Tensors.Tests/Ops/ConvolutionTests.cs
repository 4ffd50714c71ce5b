namespace Banyan.Tensors.Tests;

/// <summary>Convolutions and pooling against sums over every index, and against central differences.</summary>
public class ConvolutionTests
{
    public static TheoryData<long[], long[], long[], long[], long[], int> Cases() => new()
    {
        // input, weight, stride, padding, dilation, groups
        { [2, 3, 7], [4, 3, 3], [2], [1], [1], 1 },
        { [1, 4, 6], [4, 1, 3], [1], [2, 0], [1], 4 },
        { [2, 2, 5, 6], [4, 1, 2, 3], [1, 2], [0, 1, 2, 0], [2, 1], 2 },
        { [1, 2, 4, 3, 5], [2, 2, 2, 1, 3], [2, 1, 1], [1, 0, 1], [1, 1, 2], 1 },
        { [2, 3, 4, 4], [5, 3, 1, 1], [1], [0], [1], 1 },
    };

    [Theory, MemberData(nameof(Cases))]
    public void ConvolutionIsTheSumOverTheKernel(long[] input, long[] weight, long[] stride, long[] padding, long[] dilation, int groups)
    {
        Tensor x = FiniteDifferences.Random(input), w = FiniteDifferences.Random(weight, 2), b = FiniteDifferences.Random([weight[0]], 3);
        Tensor y = x.Conv(w, b, stride, padding, dilation, groups);
        var plan = new Plan(input, weight, stride, padding, dilation, groups);
        double[] expected = plan.Correlate(x.ToDoubles(), w.ToDoubles(), b.ToDoubles(), y.Shape);
        AssertClose(expected, y.ToDoubles());
    }

    [Theory, MemberData(nameof(Cases))]
    public void ConvolutionDifferentiates(long[] input, long[] weight, long[] stride, long[] padding, long[] dilation, int groups) =>
        FiniteDifferences.Check(t => t[0].Conv(t[1], t[2], stride, padding, dilation, groups),
            FiniteDifferences.Random(input), FiniteDifferences.Random(weight, 2), FiniteDifferences.Random([weight[0]], 3));

    [Theory, MemberData(nameof(Cases))]
    public void TransposedConvolutionIsTheAdjoint(long[] input, long[] weight, long[] stride, long[] padding, long[] dilation, int groups)
    {
        // <conv(x), y> = <x, conv_transpose(y)> for every x and y.
        Tensor x = FiniteDifferences.Random(input), w = FiniteDifferences.Random(weight, 2);
        Tensor forward = x.Conv(w, null, stride, padding, dilation, groups);
        Tensor y = FiniteDifferences.Random(forward.Shape, 4);
        Tensor bare = y.ConvTranspose(w, null, stride, padding, default, dilation, groups);
        Shape missing = new([.. Enumerable.Range(2, input.Length - 2).Select(d => input[d] - bare.Shape[d])]);
        Tensor back = y.ConvTranspose(w, null, stride, padding, missing, dilation, groups);
        Assert.Equal(new Shape(input), back.Shape);
        Assert.Equal((forward * y).Sum().Item(), (x * back).Sum().Item(), 1e-9);
    }

    [Fact]
    public void TransposedConvolutionDifferentiates()
    {
        FiniteDifferences.Check(t => t[0].ConvTranspose(t[1], t[2], [2], [1, 0], [1], [2], 2),
            FiniteDifferences.Random([2, 4, 3]), FiniteDifferences.Random([4, 3, 2], 2), FiniteDifferences.Random([6], 3));
        FiniteDifferences.Check(t => t[0].ConvTranspose(t[1], null, [2, 1, 2]),
            FiniteDifferences.Random([1, 2, 2, 3, 2]), FiniteDifferences.Random([2, 1, 2, 2, 1], 2));
    }

    [Fact]
    public void PoolingDifferentiates()
    {
        Tensor x = FiniteDifferences.Random([2, 2, 5, 7]);
        FiniteDifferences.Check(t => t[0].MaxPool([2, 3], [2, 2], [1, 1], ceilMode: true), x);
        FiniteDifferences.Check(t => t[0].AvgPool([3, 2], [2, 2], [1, 1], ceilMode: true), x);
        FiniteDifferences.Check(t => t[0].AvgPool([3], padding: [1], countIncludePad: false), x);
        FiniteDifferences.Check(t => t[0].AdaptiveAvgPool([3, 4]), x);
        FiniteDifferences.Check(t => t[0].MaxPool([2, 2, 2]), FiniteDifferences.Random([1, 2, 4, 4, 4]));
    }

    [Fact]
    public void TheLastPartialWindowOfAPoolingCounts()
    {
        Tensor x = Tensor.From([1.0, 2, 3, 4, 5], [1, 5]);
        Assert.Equal([2, 4, 5], x.MaxPool([2], ceilMode: true).ToDoubles());
        Assert.Equal([1.5, 3.5, 5], x.AvgPool([2], ceilMode: true).ToDoubles());
        Assert.Equal([1.5, 3.5], x.AvgPool([2]).ToDoubles());
    }

    [Fact]
    public void SizesThatDoNotFitAreNamed()
    {
        Tensor x = Tensor.Zeros([1, 3, 4]);
        Assert.Contains("3 input channels", Assert.Throws<ArgumentException>(() => x.Conv(Tensor.Zeros([2, 2, 3]))).Message);
        Assert.Contains("spans 5 elements", Assert.Throws<ArgumentException>(() => x.Conv(Tensor.Zeros([2, 3, 5]))).Message);
        Assert.Contains("stride [2, 2]", Assert.Throws<ArgumentException>(() => x.Conv(Tensor.Zeros([2, 3, 2]), stride: [2, 2])).Message);
        Assert.Contains("output padding 3", Assert.Throws<ArgumentException>(() => x.ConvTranspose(Tensor.Zeros([3, 2, 2]), outputPadding: [3])).Message);
    }

    private static void AssertClose(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-10);
        }
    }

    /// <summary>The definition, one index after another.</summary>
    private sealed class Plan(long[] input, long[] weight, long[] stride, long[] padding, long[] dilation, int groups)
    {
        private readonly int _n = input.Length - 2;

        public double[] Correlate(double[] x, double[] w, double[] b, Shape output)
        {
            var y = new double[output.Count];
            for (long i = 0; i < y.Length; i++)
            {
                long[] at = Indices(i, [.. output]);
                y[i] = b[at[1]];
                for (long k = 0; k < w.Length / weight[0]; k++)
                {
                    y[i] += w[at[1] * (w.Length / weight[0]) + k] * Read(x, at, Indices(k, weight[1..]));
                }
            }
            return y;
        }

        private double Read(double[] x, long[] at, long[] tap)
        {
            long group = at[1] / (weight[0] / groups);
            long index = at[0] * input[1] + group * weight[1] + tap[0];
            for (int d = 0; d < _n; d++)
            {
                long begin = padding.Length == 2 * _n ? padding[2 * d] : padding.Length == 1 ? padding[0] : padding[d];
                long p = at[2 + d] * Of(stride, d) + tap[1 + d] * Of(dilation, d) - begin;
                if (p < 0 || p >= input[2 + d])
                {
                    return 0;
                }
                index = index * input[2 + d] + p;
            }
            return x[index];
        }

        private static long Of(long[] numbers, int d) => numbers.Length == 1 ? numbers[0] : numbers[d];

        private static long[] Indices(long i, long[] sizes)
        {
            var at = new long[sizes.Length];
            for (int d = sizes.Length - 1; d >= 0; d--)
            {
                at[d] = i % sizes[d];
                i /= sizes[d];
            }
            return at;
        }
    }
}
