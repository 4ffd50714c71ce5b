using Banyan.Ops;

namespace Banyan.Tensors.Tests;

/// <summary>The fast kernel against the obvious float64 loop, that against differences, and the promises about bits.</summary>
public class AttentionTests
{
    public static TheoryData<string> Names() => [.. AttentionGrid.All.Select(g => g.Name)];

    private static AttentionGrid Grid(string name) => AttentionGrid.All.Single(g => g.Name == name);

    /// <summary>The result, then the gradients of all inputs.</summary>
    internal static Tensor[] RunAll(AttentionGrid grid, DType type, ComputePool? pool = null, bool createGraph = false)
    {
        using var scope = new Scope(new() { RecordGradients = true, Pool = pool });
        Tensor[] inputs = [.. grid.Inputs().Select(x => x.To(type))];
        foreach (Tensor x in inputs)
        {
            x.RequiresGrad = true;
        }
        Tensor[] used = [.. inputs.Select(scope.Use)];
        Tensor y = grid.Run(used);
        Tensor dy = scope.From([.. Enumerable.Range(0, (int)y.Count).Select(i => Math.Cos(1.7 * i))], y.Shape).To(type);
        Tensor?[] gradients = scope.Tape!.Gradients(y, used, dy, createGraph);
        return [y.Clone(null), .. gradients.Select(g => g!.Clone(null))];
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheKernelAgreesWithTheFormula(string name)
    {
        Tensor[] fast = RunAll(Grid(name), DType.Float32), exact = RunAll(Grid(name), DType.Float64);
        AssertClose(exact, fast, 2e-5);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheBackwardPassInTensorOperationsAgrees(string name)
    {
        Tensor[] composed = RunAll(Grid(name), DType.Float64, createGraph: true), exact = RunAll(Grid(name), DType.Float64);
        AssertClose(exact, composed, 1e-12);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheBitsDoNotDependOnThreads(string name)
    {
        Tensor[] one = Threads(name, 1);
        foreach (int threads in (int[])[2, 3, 4, 7])
        {
            AssertSame(one, Threads(name, threads));
        }
    }

    private static Tensor[] Threads(string name, int threads)
    {
        using var pool = new ComputePool(threads);
        return RunAll(Grid(name), DType.Float32, pool);
    }

    private static void AssertClose(Tensor[] expected, Tensor[] actual, double tolerance)
    {
        for (int t = 0; t < expected.Length; t++)
        {
            double[] x = expected[t].ToDoubles(), y = actual[t].ToDoubles();
            double size = Math.Max(1, x.Max(Math.Abs));
            for (int i = 0; i < x.Length; i++)
            {
                Assert.True(Math.Abs(x[i] - y[i]) <= tolerance * size, $"{(t == 0 ? "result" : $"gradient {t - 1}")}[{i}] is {y[i]}, expected {x[i]}");
            }
        }
    }

    private static void AssertSame(Tensor[] expected, Tensor[] actual)
    {
        for (int t = 0; t < expected.Length; t++)
        {
            Assert.Equal(expected[t].ToArray<float>().Select(BitConverter.SingleToUInt32Bits), actual[t].ToArray<float>().Select(BitConverter.SingleToUInt32Bits));
        }
    }
}
