using Xunit;

namespace Banyan.Nn.Tests.StateSpaces;

/// <summary>The matrix memory in chunks against its recurrence in float64, without any scale.</summary>
public sealed class MatrixMemoryTests
{
    private const int Heads = 2, Length = 11, Keys = 4, Values = 3;

    [Theory]
    [InlineData(1), InlineData(3), InlineData(8), InlineData(64)]
    public void EqualsItsRecurrence(int chunk)
    {
        using var scope = new Scope();
        Tensor[] x = [.. Inputs().Select(t => scope.Use(t))];
        (Tensor y, MatrixMemory.State _) = MatrixMemory.Apply(x[0], x[1], x[2], x[3], x[4], chunk: chunk);
        Close(Recurrence(x), y);
    }

    [Theory]
    [InlineData(1), InlineData(4), InlineData(64)]
    public void GoesOnFromItsState(int chunk)
    {
        using var scope = new Scope();
        Tensor[] x = [.. Inputs().Select(t => scope.Use(t))], first = [.. x.Select(t => t.Slice(1, 0, 5))], rest = [.. x.Select(t => t.Slice(1, 5, Length - 5))];
        (Tensor a, MatrixMemory.State state) = MatrixMemory.Apply(first[0], first[1], first[2], first[3], first[4], chunk: chunk);
        (Tensor b, MatrixMemory.State _) = MatrixMemory.Apply(rest[0], rest[1], rest[2], rest[3], rest[4], state, chunk);
        Close(Recurrence(x), Tensor.Cat([a, b], 1));
    }

    [Fact]
    public void GradientsDoNotDependOnTheChunk() => Chunks.GiveTheSameGradients(Inputs, (x, chunk) => MatrixMemory.Apply(x[0], x[1], x[2], x[3], x[4], chunk: chunk).Y.Square().Sum());

    private static Tensor[] Inputs() =>
        [Chunks.Normal(1, 1, Heads, Length, Keys), Chunks.Normal(2, 1, Heads, Length, Keys), Chunks.Normal(3, 1, Heads, Length, Values), Chunks.Normal(4, 2, Heads, Length), -Chunks.Normal(5, 1, Heads, Length).Abs()];

    private static double[] Recurrence(Tensor[] x)
    {
        double[] q = x[0].ToDoubles(), k = x[1].ToDoubles(), v = x[2].ToDoubles(), input = x[3].ToDoubles(), forget = x[4].ToDoubles();
        double[] y = new double[Heads * Length * Values], memory = new double[Heads * Keys * Values], norm = new double[Heads * Keys];
        for (int h = 0; h < Heads; h++)
        {
            for (int t = 0; t < Length; t++)
            {
                int at = h * Length + t;
                (double f, double g, double weight) = (Math.Exp(forget[at]), Math.Exp(input[at]), 0);
                for (int i = 0; i < Keys; i++)
                {
                    norm[h * Keys + i] = f * norm[h * Keys + i] + g * k[at * Keys + i];
                    weight += norm[h * Keys + i] * q[at * Keys + i];
                    for (int j = 0; j < Values; j++)
                    {
                        int place = (h * Keys + i) * Values + j;
                        memory[place] = f * memory[place] + g * k[at * Keys + i] * v[at * Values + j];
                        y[at * Values + j] += memory[place] * q[at * Keys + i];
                    }
                }
                for (int j = 0; j < Values; j++)
                {
                    y[at * Values + j] /= Math.Max(Math.Abs(weight), 1);
                }
            }
        }
        return y;
    }

    private static void Close(double[] expected, Tensor actual)
    {
        double largest = expected.Max(Math.Abs);
        Assert.All(expected.Zip(actual.ToDoubles()), p => Assert.Equal(p.First, p.Second, 2e-5 * largest));
    }
}
