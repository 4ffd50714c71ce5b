namespace Banyan.Tensors.Tests;

/// <summary>Compares gradients with central differences in float64.</summary>
internal static class FiniteDifferences
{
    /// <summary>Checks d(sum of f(inputs) * weights)/d(inputs) for every element.</summary>
    public static void Check(Func<Tensor[], Tensor> f, params Tensor[] inputs)
    {
        using var scope = new Scope(new() { RecordGradients = true });
        Tensor[] leaves = [.. inputs.Select(x => x.To(DType.Float64).Clone(null))];
        foreach (Tensor leaf in leaves)
        {
            leaf.RequiresGrad = true;
        }
        Objective(f, scope, leaves).Backward();
        double[][] grads = [.. leaves.Select(l => l.Grad!.ToDoubles())];
        for (int j = 0; j < leaves.Length; j++)
        {
            double[] values = leaves[j].ToDoubles();
            for (int i = 0; i < values.Length; i++)
            {
                const double h = 1e-5;
                double up = At(f, leaves, j, values, i, h), down = At(f, leaves, j, values, i, -h);
                double expected = (up - down) / (2 * h);
                Assert.True(Math.Abs(grads[j][i] - expected) <= 1e-6 + 1e-5 * Math.Abs(expected),
                    $"input {j}, element {i}: backward {grads[j][i]}, differences {expected}");
            }
        }
    }

    private static double At(Func<Tensor[], Tensor> f, Tensor[] leaves, int j, double[] values, int i, double h)
    {
        var moved = (double[])values.Clone();
        moved[i] += h;
        Tensor[] inputs = [.. leaves.Select((l, k) => k == j ? Tensor.From(moved, l.Shape) : l.Clone(null))];
        using var scope = new Scope();
        return Objective(f, scope, inputs).Item();
    }

    private static Tensor Objective(Func<Tensor[], Tensor> f, Scope scope, Tensor[] inputs)
    {
        Tensor y = f([.. inputs.Select(scope.Use)]);
        double[] weights = [.. Enumerable.Range(0, (int)y.Count).Select(i => Math.Cos(1.7 * i) + 0.3)];
        return (y * scope.From(weights, y.Shape)).Sum();
    }

    /// <summary>Numbers that look random, fixed.</summary>
    public static Tensor Random(in Shape shape, int seed = 1)
    {
        var random = new Random(seed);
        return Tensor.From([.. Enumerable.Range(0, (int)shape.Count).Select(_ => random.NextDouble() * 4 - 2)], shape);
    }
}
