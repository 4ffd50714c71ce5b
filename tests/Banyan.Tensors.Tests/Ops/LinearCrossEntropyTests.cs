using Banyan.Autograd;
using Banyan.Ops;

namespace Banyan.Tensors.Tests;

public class LinearCrossEntropyTests
{
    private static readonly Tensor s_hidden = FiniteDifferences.Random([5, 3], 1).To(DType.Float32);
    private static readonly Tensor s_head = FiniteDifferences.Random([7, 3], 2).To(DType.Float32);
    private static readonly Tensor s_targets = Tensor.From(1L, 6, -100, 0, 3);

    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    public void IsTheLossOfTheLogits(double smoothing)
    {
        (double fused, double[] dh, double[] dw) = Run((h, w) => LinearCrossEntropy.Apply(h, w, s_targets, smoothing: smoothing));
        (double plain, double[] dh2, double[] dw2) = Run((h, w) => Loss.CrossEntropy(h.MatMul(w.Transpose(0, 1)), s_targets, labelSmoothing: smoothing));
        Assert.Equal(plain, fused, 1e-6);
        AssertClose(dh2, dh);
        AssertClose(dw2, dw);
    }

    [Fact]
    public void ASecondBackwardPassFindsTheLogitsAgain()
    {
        using var scope = new Scope(new() { RecordGradients = true });
        (Tensor h, Tensor w) = (Leaf(s_hidden), Leaf(s_head));
        Tensor loss = LinearCrossEntropy.Apply(scope.Use(h), scope.Use(w), s_targets);
        loss.Backward(retainGraph: true);
        (double[] dh, double[] dw) = (h.Grad!.ToDoubles(), w.Grad!.ToDoubles());
        loss.Backward(retainGraph: true);
        AssertClose([.. dh.Select(g => 2 * g)], h.Grad!.ToDoubles());
        AssertClose([.. dw.Select(g => 2 * g)], w.Grad!.ToDoubles());
    }

    [Fact]
    public void ARecordedBackwardPassGivesTheSameGradient()
    {
        using var scope = new Scope(new() { RecordGradients = true });
        (Tensor h, Tensor w) = (scope.Use(Leaf(s_hidden)), scope.Use(Leaf(s_head)));
        Tensor loss = LinearCrossEntropy.Apply(h, w, s_targets, smoothing: 0.1);
        Tensor?[] fused = scope.Tape!.Gradients(loss, [h, w]), recorded = scope.Tape!.Gradients(loss, [h, w], createGraph: true);
        AssertClose(fused[0]!.ToDoubles(), recorded[0]!.ToDoubles());
        AssertClose(fused[1]!.ToDoubles(), recorded[1]!.ToDoubles());
    }

    [Fact]
    public void WritesTheLossesOfTheRowsOnlyIntoAFittingTensor()
    {
        Tensor losses = Tensor.Full([5], 9);
        double mean = LinearCrossEntropy.Apply(s_hidden, s_head, s_targets, losses: losses).Item();
        double[] rows = losses.ToDoubles();
        Assert.Equal(0, rows[2]);
        Assert.Equal(mean, rows.Sum() / 4, 1e-6);
        Assert.Contains("[5]", Assert.Throws<ArgumentException>(() => LinearCrossEntropy.Apply(s_hidden, s_head, s_targets, losses: Tensor.Zeros([4]))).Message);
        Assert.Throws<ArgumentException>(() => LinearCrossEntropy.Apply(s_hidden, s_head, s_targets, losses: Tensor.Zeros([5], DType.Float64)));
    }

    [Fact]
    public void NoticesThatTheLossesOfAnEarlierOperationWereOverwritten()
    {
        using var scope = new Scope(new() { RecordGradients = true });
        Tensor factor = Leaf(Tensor.Full([5], 2)), losses = scope.Zeros([5]);
        Tensor product = (scope.Use(factor) * losses).Sum();
        LinearCrossEntropy.Apply(s_hidden, s_head, s_targets, losses: losses);
        Assert.Contains("changed in place", Assert.Throws<InvalidOperationException>(() => product.Backward()).Message);
    }

    [Fact]
    public void RunsOnTheMetaDevice()
    {
        using var scope = new Scope(new() { RecordGradients = true, Device = Device.Meta });
        (Tensor h, Tensor w) = (Leaf(Tensor.Zeros([5, 3], DType.Float32, Device.Meta)), Leaf(Tensor.Zeros([7, 3], DType.Float32, Device.Meta)));
        Tensor loss = LinearCrossEntropy.Apply(scope.Use(h), scope.Use(w), scope.Zeros([5], DType.Int64));
        loss.Backward();
        Assert.Equal(new Shape(5, 3), h.Grad!.Shape);
        Assert.Equal(new Shape(7, 3), w.Grad!.Shape);
    }

    private static (double Loss, double[] Dh, double[] Dw) Run(Func<Tensor, Tensor, Tensor> f)
    {
        using var scope = new Scope(new() { RecordGradients = true });
        (Tensor h, Tensor w) = (Leaf(s_hidden), Leaf(s_head));
        Tensor loss = f(scope.Use(h), scope.Use(w));
        double value = loss.Item();
        loss.Backward();
        return (value, h.Grad!.ToDoubles(), w.Grad!.ToDoubles());
    }

    private static Tensor Leaf(Tensor x)
    {
        Tensor leaf = x.Clone(null);
        leaf.RequiresGrad = true;
        return leaf;
    }

    private static void AssertClose(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 2e-6);
        }
    }
}
