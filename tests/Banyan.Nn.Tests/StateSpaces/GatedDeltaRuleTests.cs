using Xunit;

namespace Banyan.Nn.Tests.StateSpaces;

/// <summary>The gated delta rule in chunks against its recurrence, one token after another in float64.</summary>
public sealed class GatedDeltaRuleTests
{
    private const int Heads = 2, Length = 11, Keys = 4, Values = 3;

    [Theory]
    [InlineData(1), InlineData(3), InlineData(8), InlineData(32)]
    public void EqualsItsRecurrence(int chunk)
    {
        using var scope = new Scope(new ScopeOptions { RecordGradients = true });
        Tensor[] x = Inputs();
        (Tensor y, Tensor state) = GatedDeltaRule.Apply(scope.Use(x[0]), scope.Use(x[1]), scope.Use(x[2]), scope.Use(x[3]), scope.Use(x[4]), chunk: chunk);
        (double[] expected, double[] memory) = Recurrence(x);
        Close(expected, y, 1e-5);
        Close(memory, state, 1e-5);
    }

    [Theory]
    [InlineData(1), InlineData(4), InlineData(32)]
    public void GoesOnFromItsMemory(int chunk)
    {
        using var scope = new Scope();
        Tensor[] x = Inputs();
        Tensor[] first = [.. x.Select(t => scope.Use(t).Slice(1, 0, 5))], rest = [.. x.Select(t => scope.Use(t).Slice(1, 5, Length - 5))];
        (Tensor a, Tensor state) = GatedDeltaRule.Apply(first[0], first[1], first[2], first[3], first[4], chunk: chunk);
        (Tensor b, Tensor last) = GatedDeltaRule.Apply(rest[0], rest[1], rest[2], rest[3], rest[4], state, chunk);
        (double[] expected, double[] memory) = Recurrence(x);
        Close(expected, Tensor.Cat([a, b], 1), 1e-5);
        Close(memory, last, 1e-5);
    }

    [Fact]
    public void GradientsDoNotDependOnTheChunk() => Chunks.GiveTheSameGradients(Inputs, (x, chunk) =>
        {
            (Tensor y, Tensor state) = GatedDeltaRule.Apply(x[0], x[1], x[2], x[3], x[4], chunk: chunk);
            return y.Square().Sum() + state.Sum();
        });

    private static Tensor[] Inputs() =>
        [Chunks.Normal(1, 0.5, Heads, Length, Keys), Chunks.Normal(2, 0.5, Heads, Length, Keys), Chunks.Normal(3, 0.5, Heads, Length, Values), -Chunks.Normal(4, 0.5, Heads, Length).Abs(), Chunks.Normal(5, 0.5, Heads, Length).Sigmoid()];

    // S = e^g S, then S += k (beta (v - S^T k))^T, then y = S^T q.
    private static (double[] Y, double[] State) Recurrence(Tensor[] x)
    {
        double[] q = x[0].ToDoubles(), k = x[1].ToDoubles(), v = x[2].ToDoubles(), g = x[3].ToDoubles(), beta = x[4].ToDoubles();
        double[] y = new double[Heads * Length * Values], s = new double[Heads * Keys * Values];
        for (int h = 0; h < Heads; h++)
        {
            for (int t = 0; t < Length; t++)
            {
                int at = h * Length + t;
                for (int j = 0; j < Values; j++)
                {
                    double held = 0, read = 0;
                    for (int i = 0; i < Keys; i++)
                    {
                        s[(h * Keys + i) * Values + j] *= Math.Exp(g[at]);
                        held += s[(h * Keys + i) * Values + j] * k[at * Keys + i];
                    }
                    for (int i = 0; i < Keys; i++)
                    {
                        s[(h * Keys + i) * Values + j] += k[at * Keys + i] * beta[at] * (v[at * Values + j] - held);
                        read += s[(h * Keys + i) * Values + j] * q[at * Keys + i];
                    }
                    y[at * Values + j] = read;
                }
            }
        }
        return (y, s);
    }

    private static void Close(double[] expected, Tensor actual, double tolerance) => Assert.All(expected.Zip(actual.ToDoubles()), p => Assert.Equal(p.First, p.Second, tolerance));
}
