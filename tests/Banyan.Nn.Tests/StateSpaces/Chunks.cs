using Xunit;

namespace Banyan.Nn.Tests.StateSpaces;

/// <summary>What the tests of recurrences in chunks share.</summary>
internal static class Chunks
{
    /// <summary>Normal random numbers.</summary>
    public static Tensor Normal(long seed, double std, params long[] shape)
    {
        Tensor t = Tensor.Zeros(shape, DType.Float32);
        t.FillNormal(std, seed);
        return t;
    }

    /// <summary>Asserts that the gradients of a loss by its inputs are the same in chunks of one token and of four.</summary>
    public static void GiveTheSameGradients(Func<Tensor[]> inputs, Func<Tensor[], int, Tensor> loss)
    {
        double[][] one = Gradients(inputs(), loss, 1), many = Gradients(inputs(), loss, 4);
        for (int i = 0; i < one.Length; i++)
        {
            double largest = one[i].Max(Math.Abs);
            Assert.True(largest > 0);
            Assert.All(one[i].Zip(many[i]), p => Assert.Equal(p.First, p.Second, 1e-4 * largest));
        }
    }

    private static double[][] Gradients(Tensor[] inputs, Func<Tensor[], int, Tensor> loss, int chunk)
    {
        using var scope = new Scope(new ScopeOptions { RecordGradients = true });
        foreach (Tensor x in inputs)
        {
            x.RequiresGrad = true;
        }
        loss([.. inputs.Select(x => scope.Use(x))], chunk).Backward();
        return [.. inputs.Select(x => x.Grad!.ToDoubles())];
    }
}
