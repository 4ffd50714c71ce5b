namespace Banyan.Tensors.Tests;

public class AutogradTests
{
    private static Tensor Leaf(params float[] values)
    {
        Tensor t = Tensor.From(values);
        t.RequiresGrad = true;
        return t;
    }

    private static Scope Recording() => new(new() { RecordGradients = true });

    [Fact]
    public void ArithmeticBroadcastsAndDifferentiates()
    {
        FiniteDifferences.Check(x => x[0] * x[1] + x[0] / (x[1] * x[1] + 3) - x[1] * 2,
            FiniteDifferences.Random([2, 3]), FiniteDifferences.Random([3], 2));
    }

    [Fact]
    public void MatMulBroadcastsAndDifferentiates()
    {
        FiniteDifferences.Check(x => x[0].MatMul(x[1]), FiniteDifferences.Random([2, 3, 4]), FiniteDifferences.Random([4, 5], 2));
        FiniteDifferences.Check(x => x[0].MatMul(x[1]), FiniteDifferences.Random([4]), FiniteDifferences.Random([2, 4, 3], 2));
        FiniteDifferences.Check(x => x[0].Linear(x[1], x[2]), FiniteDifferences.Random([2, 3, 4]), FiniteDifferences.Random([5, 4], 2), FiniteDifferences.Random([5], 3));
    }

    [Fact]
    public void ViewsDifferentiate()
    {
        FiniteDifferences.Check(x => x[0].Permute(2, 0, 1).Reshape(4, -1).Slice(0, 1, 2, 2).Transpose(0, 1) * 3, FiniteDifferences.Random([2, 3, 4]));
        FiniteDifferences.Check(x => x[0].Expand([2, 3, 4]) * x[0].Unsqueeze(0), FiniteDifferences.Random([3, 4]));
        FiniteDifferences.Check(x => x[0].Select(1, -1) + x[0].Sum(1), FiniteDifferences.Random([2, 3]));
    }

    [Fact]
    public void GradientsAccumulateOverPasses()
    {
        Tensor w = Leaf(2, 3);
        using Scope scope = Recording();
        for (int i = 0; i < 2; i++)
        {
            Tensor x = scope.Use(w);
            (x * x).Sum().Backward();
            scope.Reset();
        }
        Assert.Equal([8f, 12f], w.Grad!.ToArray<float>());
    }

    [Fact]
    public void SecondDerivativeOfACube()
    {
        Tensor w = Leaf(2);
        using Scope scope = Recording();
        Tensor x = scope.Use(w), y = x * x * x;
        Tensor g = scope.Tape!.Gradients(y, [x], createGraph: true)[0]!;
        Assert.Equal(12, g.Item(), 6);
        Tensor gg = scope.Tape!.Gradients(g, [x])[0]!;
        Assert.Equal(12, gg.Item(), 6);
        Assert.Null(w.Grad);
    }

    [Fact]
    public void CheckpointGivesTheSameBits()
    {
        Tensor w = Leaf(0.5f, -1.25f, 3f);
        float[] Run(bool checkpointed, bool release)
        {
            w.Grad = null;
            using Scope scope = Recording();
            Tensor Piece(Tensor x) => x * w * x + w;
            Tensor h = scope.Use(w) * 2;
            Tensor y = checkpointed ? Autograd.Checkpoint.Apply(Piece, h) : Piece(h);
            Tensor loss = (y * y * h).Sum();
            scope.Tape!.Backward(loss, null, new() { Release = release });
            return w.Grad!.ToArray<float>();
        }
        float[] expected = Run(false, false);
        Assert.Equal(expected, Run(true, false));
        Assert.Equal(expected, Run(true, true));
        Assert.Equal(expected, Run(false, true));
    }

    [Fact]
    public void InPlaceChangeOfASavedValueFailsLoudly()
    {
        Tensor w = Leaf(1, 2);
        using Scope scope = Recording();
        Tensor x = scope.Use(w) * 2;
        Tensor y = (x * x).Sum();
        x.AddInPlace(Tensor.From(1f, 1f));
        var e = Assert.Throws<InvalidOperationException>(() => y.Backward());
        Assert.Contains("'mul'", e.Message);
    }

    [Fact]
    public void DeadTensorsThrow()
    {
        Tensor x;
        using (var scope = new Scope())
        {
            x = scope.From([1f, 2f], [2]);
            Assert.True(x.IsAlive);
        }
        Assert.False(x.IsAlive);
        Assert.Throws<ObjectDisposedException>(() => x.ToArray<float>());
    }

    [Fact]
    public void ReleasingBackwardFreesIntermediatesAndKeepsWhatIsAsked()
    {
        Tensor w = Leaf(1, 2);
        using Scope scope = Recording();
        Tensor a = scope.Use(w) * 2, b = (a * a).Keep(), loss = b.Sum();
        scope.Tape!.Backward(loss, null, Autograd.BackwardOptions.Releasing);
        Assert.False(a.IsAlive);
        Assert.Equal([4f, 16f], b.ToArray<float>());
        Assert.Equal(20, loss.Item());
        Assert.Equal([8f, 16f], w.Grad!.ToArray<float>());
    }

    [Fact]
    public void NoGradRecordsNothing()
    {
        Tensor w = Leaf(1);
        using Scope scope = Recording();
        using (scope.Tape!.NoGrad())
        {
            _ = scope.Use(w) * 2;
        }
        Assert.Equal(0, scope.Tape.Count);
    }

    [Fact]
    public void AWarmStepTakesNothingFromTheSystem()
    {
        Tensor w = Leaf(1, 2, 3);
        using Scope scope = Recording();
        void Step()
        {
            Tensor x = scope.Use(w);
            Tensor loss = (x * x).Sum();
            scope.Tape!.Backward(loss, null, Autograd.BackwardOptions.Releasing);
            scope.Reset();
        }
        for (int i = 0; i < 3; i++)
        {
            Step();
        }
        long native = Memory.NativePages.Allocations;
        long managed = GC.GetAllocatedBytesForCurrentThread();
        Step();
        Assert.Equal(native, Memory.NativePages.Allocations);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - managed, 0, 4096);
        Assert.Equal(0, scope.Memory.CurrentBytes);
    }
}
