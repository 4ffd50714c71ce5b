namespace Banyan.Tensors.Tests;

/// <summary>Gradients that no golden holds.</summary>
public class GradientTests
{
    private static Tensor X(int seed = 1) => FiniteDifferences.Random([3, 4], seed);

    [Fact]
    public void OfElementwiseFunctions()
    {
        FiniteDifferences.Check(x => Tensor.FMax(x[0], x[1]) + Tensor.FMin(x[0], x[1] * 2), X(), X(2));
        FiniteDifferences.Check(x => x[0].Polygamma(2), X().Square() + 0.5);
        FiniteDifferences.Check(x => x[0].Dropout(0.4, seed: 3, stream: 1, sample: 0), X());
        FiniteDifferences.Check(x => x[0].Snake(x[1]), X(), X(2).Square() + 0.5);
    }

    [Fact]
    public void OfRecurrences()
    {
        FiniteDifferences.Check(x => x[0].LinearRecurrence(x[1], 1), X(), X(2));
        FiniteDifferences.Check(x => Ops.LinearRecurrence.Apply(x[0], x[1], 0, reverse: true), X(), X(2));
    }

    [Fact]
    public void OfSpectra()
    {
        FiniteDifferences.Check(x => Fourier.Irfft2(x[0]), FiniteDifferences.Random([3, 3, 2]));
        FiniteDifferences.Check(x => Fourier.Irfft(x[0], 7, dim: 0, FftNorm.Ortho), FiniteDifferences.Random([3, 2, 2]));
        FiniteDifferences.Check(x => Fourier.Fft(x[0], 5, dim: 0, FftNorm.Forward), FiniteDifferences.Random([6, 2, 2]));
        FiniteDifferences.Check(x => Fourier.IfftShift(Fourier.FftShift(x[0])).Square(), FiniteDifferences.Random([5]));
    }

    [Fact]
    public void OfResampling()
    {
        Tensor image = FiniteDifferences.Random([1, 2, 3, 4]), grid = FiniteDifferences.Random([1, 2, 2, 2], 3) * 0.6;
        FiniteDifferences.Check(x => x[0].Interpolate([5, 3], InterpolationMode.Cubic, antialias: true), image);
        foreach (GridPadding padding in Enum.GetValues<GridPadding>())
        {
            FiniteDifferences.Check(x => x[0].GridSample(x[1], InterpolationMode.Linear, padding), image, grid);
            FiniteDifferences.Check(x => x[0].GridSample(x[1], InterpolationMode.Cubic, padding, alignCorners: true), image, grid);
        }
    }

    [Fact]
    public void OfRelativePositions() =>
        FiniteDifferences.Check(x => RelativePositions.T5Table(x[0], bidirectional: true, maxDistance: 6), FiniteDifferences.Random([8, 2]));

    // Rows in float32 run fused; double precision composes.
    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(1200)]
    public void OfFusedRowsAreThoseOfTheirFormula(int width)
    {
        Tensor x = FiniteDifferences.Random([3, width]) * 4, up = FiniteDifferences.Random([3, width], 2);
        Tensor target = Tensor.From(0L, -100, width - 1);
        Same(t => t.Softmax(-1), x, up);
        Same(t => t.LogSoftmax(-1), x, up);
        Same(t => t.Transpose(0, 1).Contiguous().Transpose(0, 1).Softmax(-1), x, up);
        Same(t => Loss.CrossEntropy(t, target), x, Tensor.Scalar(1.5, DType.Float64));
        Same(t => Loss.CrossEntropy(t, target, labelSmoothing: 0.1, reduction: Reduction.None), x, FiniteDifferences.Random([3], 2));
    }

    private static void Same(Func<Tensor, Tensor> f, Tensor x, Tensor up)
    {
        (double[] y, double[] dx) = Run(f, x, up, DType.Float32);
        (double[] exactY, double[] exactDx) = Run(f, x, up, DType.Float64);
        Assert.All(exactY.Concat(exactDx).Zip(y.Concat(dx)), p => Assert.Equal(p.First, p.Second, 2e-6 * (1 + Math.Abs(p.First))));
    }

    private static (double[] Y, double[] DX) Run(Func<Tensor, Tensor> f, Tensor x, Tensor up, DType type)
    {
        using var scope = new Scope(new() { RecordGradients = true });
        Tensor leaf = x.To(type).Clone(null);
        leaf.RequiresGrad = true;
        Tensor y = f(scope.Use(leaf));
        y.Backward(up.To(type).Clone(scope));
        return (y.ToDoubles(), leaf.Grad!.ToDoubles());
    }
}
