namespace Banyan.Tensors.Tests;

public class LossTests
{
    private static readonly Tensor s_logits = FiniteDifferences.Random([3, 4]);

    [Fact]
    public void EveryOptionOfCrossEntropyDifferentiates()
    {
        Tensor target = Tensor.From(1L, -100, 3), weight = Tensor.From(0.5, 2, 1, 0.25);
        FiniteDifferences.Check(x => Loss.CrossEntropy(x[0], target, weight, labelSmoothing: 0.2, zLoss: 0.1), s_logits);
        FiniteDifferences.Check(x => Loss.CrossEntropy(x[0], target, labelSmoothing: 0.2, zLoss: 0.1, reduction: Reduction.None), s_logits);
        FiniteDifferences.Check(x => Loss.CrossEntropy(x[0], x[1], weight, labelSmoothing: 0.2), s_logits, FiniteDifferences.Random([3, 4], 2));
    }

    [Fact]
    public void LossesWithoutAGoldenDifferentiate()
    {
        Tensor positive = (FiniteDifferences.Random([3, 4], 2) * FiniteDifferences.Random([3, 4], 2)) + 0.3;
        FiniteDifferences.Check(x => Loss.PoissonNll(x[0], x[1], logInput: false, full: true), positive, positive + 2);
        FiniteDifferences.Check(x => Loss.Nll(x[0], Tensor.From(1L, 2, -100), ignoreIndex: -100), s_logits);
        FiniteDifferences.Check(x => Loss.Entropy(x[0], 0), s_logits);
        FiniteDifferences.Check(x => x[0].SoftmaxOne(0), s_logits);
        FiniteDifferences.Check(x => x[0].L2Norm(0), s_logits);
        FiniteDifferences.Check(x => x[0].LocalResponseNorm(2), FiniteDifferences.Random([2, 4, 3]));
        FiniteDifferences.Check(x => x[0].BatchNorm(Tensor.Zeros([4], DType.Float64), Tensor.Full([4], 1, DType.Float64), training: true), s_logits);
    }

    [Fact]
    public void CtcIsTheSumOverAllPaths()
    {
        // Three frames, labels 1 and 2, blank 0: all paths of three symbols that collapse to (1, 2).
        Tensor logp = FiniteDifferences.Random([3, 1, 3]).LogSoftmax(-1);
        double[] p = logp.Exp().ToDoubles();
        double sum = 0;
        for (int path = 0; path < 27; path++)
        {
            int[] symbols = [path / 9, path / 3 % 3, path % 3];
            int[] collapsed = [.. symbols.Where((s, i) => s != 0 && (i == 0 || symbols[i - 1] != s))];
            sum += collapsed is [1, 2] ? p[symbols[0]] * p[3 + symbols[1]] * p[6 + symbols[2]] : 0;
        }
        Tensor loss = Loss.Ctc(logp, Tensor.From([1L, 2], [1, 2]), Tensor.From(3L), Tensor.From(2L), reduction: Reduction.Sum);
        Assert.Equal(-Math.Log(sum), loss.Item(), 1e-12);
    }

    [Fact]
    public void WrongTargetsAreNamed()
    {
        Assert.Contains("class numbers [3]", Assert.Throws<ArgumentException>(() => Loss.CrossEntropy(s_logits, Tensor.From(1L, 2))).Message);
        Assert.ThrowsAny<ArgumentException>(() => Loss.CrossEntropy(s_logits, Tensor.From(1L, 2, 4)));
        Assert.Contains("class weight", Assert.Throws<ArgumentException>(() => Loss.CrossEntropy(s_logits, Tensor.From(1L, 2, 3), Tensor.From(1.0, 2))).Message);
        Tensor logp = Tensor.Zeros([3, 1, 3]);
        Assert.Contains("blank", Assert.Throws<ArgumentException>(() => Loss.Ctc(logp, Tensor.From([0L, 2], [1, 2]), Tensor.From(3L), Tensor.From(2L))).Message);
        Assert.Contains("do not fit", Assert.Throws<ArgumentException>(() => Loss.Ctc(logp, Tensor.From([1L, 2], [1, 2]), Tensor.From(4L), Tensor.From(2L))).Message);
    }
}
