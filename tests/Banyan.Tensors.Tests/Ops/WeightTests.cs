namespace Banyan.Tensors.Tests;

/// <summary>What every operation with weights must do: gradients for weights outside the scope, half types, and dry runs.</summary>
public class WeightTests
{
    private static Tensor Leaf(params long[] shape)
    {
        Tensor t = FiniteDifferences.Random(shape);
        t.RequiresGrad = true;
        return t;
    }

    [Fact]
    public void WeightsOutsideTheScopeGetTheirGradient()
    {
        using var scope = new Scope(new() { RecordGradients = true });
        Tensor x = scope.Use(FiniteDifferences.Random([2, 4, 6]));
        Tensor kernel = Leaf(4, 2, 3), bias = Leaf(4), scale = Leaf(4), matrix = Leaf(6, 3), slope = Leaf(4), back = Leaf(4, 1, 2);
        Tensor y = x.Conv(kernel, bias, padding: [1], groups: 2).GroupNorm(2, scale, bias).PRelu(slope);
        (Tensor.Einsum("ij,bcj->bci", matrix.Transpose(0, 1), y).Sum() + x.ConvTranspose(back, groups: 2).Exp().Sum()).Backward();
        foreach (Tensor leaf in (Tensor[])[kernel, bias, scale, slope, back])
        {
            Assert.NotNull(leaf.Grad);
        }
    }

    [Fact]
    public void HalfTypesComputeInFloat32()
    {
        Tensor x = FiniteDifferences.Random([2, 3]).To(DType.BFloat16), w = FiniteDifferences.Random([4, 3], 2).To(DType.BFloat16);
        Tensor y = x.Linear(w);
        Assert.Equal(DType.BFloat16, y.DType);
        Assert.Equal(x.MatMul(w.Transpose(0, 1)).ToDoubles(), y.ToDoubles());
        Assert.Equal(x.To(DType.Float32).Softmax(-1).To(DType.BFloat16).ToDoubles(), x.Softmax(-1).ToDoubles());
        Assert.Equal(x.To(DType.Float32).LayerNorm().To(DType.BFloat16).ToDoubles(), x.LayerNorm().ToDoubles());
    }

    [Fact]
    public void HalfWeightsGetHalfGradients()
    {
        Tensor w = FiniteDifferences.Random([4, 3]).To(DType.BFloat16), b = FiniteDifferences.Random([4], 2).To(DType.BFloat16);
        w.RequiresGrad = b.RequiresGrad = true;
        using var scope = new Scope(new() { RecordGradients = true });
        Tensor x = scope.From([1f, 2, 3, -1, 0.5f, 2], [2, 3]);
        for (int pass = 1; pass <= 2; pass++)
        {
            x.Linear(w, b).Sum().Backward();
            Assert.Equal(DType.BFloat16, w.Grad!.DType);
            Assert.Equal([0 * pass, 2.5 * pass, 5 * pass], w.Grad.ToDoubles()[..3]);
            Assert.Equal(2.0 * pass, b.Grad!.ToDoubles()[0]);
        }
    }

    [Fact]
    public void ADryRunHasShapesOnly()
    {
        using var scope = new Scope(new() { Device = Device.Meta, RecordGradients = true });
        Tensor x = scope.Zeros([2, 3, 8, 8]);
        x.RequiresGrad = true;
        Tensor y = x.Conv(scope.Zeros([4, 3, 3, 3])).Gelu().MaxPool([2, 2]).LayerNorm().GroupNorm(2);
        Tensor loss = Loss.CrossEntropy(y.Reshape(2, -1), scope.Zeros([2], DType.Int64)) + y.AdaptiveAvgPool([1, 1]).Softmax(-1).Sum();
        loss.Backward();
        Assert.Equal(x.Shape, x.Grad!.Shape);
        Assert.Contains("meta", Assert.Throws<InvalidOperationException>(() => loss.Item()).Message);
        Assert.Contains("meta", Assert.Throws<InvalidOperationException>(() => y.ToArray<float>()).Message);
    }
    [Fact]
    public void ADryRunKnowsTheShapesOfFactorsSpectraAndSamples()
    {
        using var scope = new Scope(new() { Device = Device.Meta, RecordGradients = true });
        Tensor x = scope.Zeros([2, 3, 8, 8]);
        x.RequiresGrad = true;
        Tensor small = x.Interpolate([4, 6], InterpolationMode.Cubic, antialias: true), spectrum = Fourier.Rfft2(small);
        Assert.Equal(new Shape(2, 3, 4, 4, 2), spectrum.Shape);
        Tensor sampled = small.GridSample(scope.Zeros([2, 5, 5, 2]));
        Assert.Equal(new Shape(2, 3, 5, 5), sampled.Shape);
        (Linalg.Inv(x).Sum() + Linalg.Svd(x).S.Sum() + Linalg.MatrixExp(x).Sum() + spectrum.Sum() + sampled.Sum()).Backward();
        Assert.Equal(x.Shape, x.Grad!.Shape);
    }
}
