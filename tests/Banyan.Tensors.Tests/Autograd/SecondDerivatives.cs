namespace Banyan.Tensors.Tests;

/// <summary>Second derivatives as first derivatives of the gradient, compared with central differences.</summary>
public class SecondDerivatives
{
    // The gradient of f, as a function that can itself be differentiated.
    private static Func<Tensor[], Tensor> GradientOf(Func<Tensor[], Tensor> f) => x =>
    {
        if (x[0].Scope!.Tape is { } tape)
        {
            return Gradient(tape, f, x);
        }
        using var scope = new Scope(new() { RecordGradients = true });
        Tensor[] leaves = [.. x.Select(t => t.Clone(null))];
        leaves[0].RequiresGrad = true;
        return Gradient(scope.Tape!, f, [.. leaves.Select(scope.Use)]).Clone(x[0].Scope);
    };

    private static Tensor Gradient(Autograd.Tape tape, Func<Tensor[], Tensor> f, Tensor[] x)
    {
        Tensor y = f(x);
        double[] weights = [.. Enumerable.Range(0, (int)y.Count).Select(i => Math.Sin(0.7 * i) + 0.4)];
        Tensor loss = (y * tape.Scope.From(weights, y.Shape)).Sum();
        return tape.Gradients(loss, [x[0]], createGraph: true)[0]!;
    }

    private static void Check(Func<Tensor[], Tensor> f, params Tensor[] inputs) => FiniteDifferences.Check(GradientOf(f), inputs);

    private static Tensor X(int seed = 1) => FiniteDifferences.Random([3, 4], seed);

    [Fact]
    public void OfActivations()
    {
        Check(x => x[0].Silu(), X());
        Check(x => x[0].Gelu(), X());
        Check(x => x[0].Gelu(GeluForm.Tanh), X());
        Check(x => x[0].Gelu(GeluForm.Quick), X());
        Check(x => x[0].Mish(), X());
        Check(x => x[0].Softplus(), X());
        Check(x => x[0].ReluSquared(), X());
        Check(x => x[0].Elu(1.3), X());
    }

    [Fact]
    public void OfNorms()
    {
        Check(x => x[0].LayerNorm(x[1]), X(), FiniteDifferences.Random([4], 2));
        Check(x => x[0].RmsNorm(x[1], weightOffset: 1), X(), FiniteDifferences.Random([4], 2));
        Check(x => x[0].GroupNorm(2), FiniteDifferences.Random([2, 4, 3]));
    }

    [Fact]
    public void OfSoftmaxAndCrossEntropy()
    {
        Check(x => x[0].Softmax(-1), X());
        Check(x => x[0].LogSoftmax(0), X());
        Check(x => Loss.CrossEntropy(x[0], Tensor.From(1L, -100, 3), labelSmoothing: 0.1, zLoss: 0.02), X());
        Check(x => Loss.CrossEntropy(x[0], Tensor.From(1L, 0, 3), Tensor.From(0.5, 2, 1, 0.25), labelSmoothing: 0.1), X());
        Check(x => Loss.BinaryCrossEntropy(x[0].Sigmoid(), X(2).Sigmoid()), X());
    }

    [Fact]
    public void OfConvolutionsAndPooling()
    {
        Tensor w = FiniteDifferences.Random([4, 2, 3], 2);
        Check(x => x[0].Conv(x[1], stride: [2], padding: [1]) * x[0].Conv(x[1], stride: [2], padding: [1]), FiniteDifferences.Random([2, 2, 6]), w);
        Check(x => x[0].ConvTranspose(x[1], stride: [2]).Exp(), FiniteDifferences.Random([1, 4, 2]), w);
        Check(x => x[0].MaxPool([2]).Exp(), FiniteDifferences.Random([1, 2, 6]));
    }
}
