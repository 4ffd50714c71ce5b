namespace Banyan.Nn.Tests.Goldens;

/// <summary>Positions and state spaces.</summary>
internal static class SequenceTable
{
    /// <summary>The tolerance of the outputs, or null where the case is another table's.</summary>
    public static double? Run(LayerCase c) => c.Name switch
    {
        "sinusoidal_positions" => Sinusoids(c),
        "rotary_positions" => Rotary(c),
        _ => null,
    };

    private static double? Sinusoids(LayerCase c)
    {
        long[] positions = [.. Enumerable.Range(0, (int)c.Value("positions")).Select(i => (long)i)];
        foreach ((string name, bool interleaved) in new[] { ("interleaved", true), ("halves", false) })
        {
            double[] expected = c.Get(name).ToDoubles(), actual = RelativePositions.Sinusoids(positions, (int)c.Value("dim"), interleaved).ToDoubles();
            Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 1e-6));
        }
        return 1e-5;
    }

    private static double? Rotary(LayerCase c)
    {
        Tensor x = c.In("x").Transpose(1, 2).Reshape(7, 2, 8);   // (T, H, D)
        double[] angles = [.. Enumerable.Range(0, 28).Select(i => i / 4 * Math.Pow(c.Value("base"), -(i % 4) / 4.0))];
        Tensor cos = Tensor.From([.. angles.Select(a => (float)Math.Cos(a))], [7, 4]), sin = Tensor.From([.. angles.Select(a => (float)Math.Sin(a))], [7, 4]);
        c.Out("half_split", Ops.Rotary.Apply(x, cos, sin).Reshape(1, 7, 2, 8).Transpose(1, 2));
        c.Out("interleaved", Ops.Rotary.Apply(x, cos, sin, interleaved: true).Reshape(1, 7, 2, 8).Transpose(1, 2));
        return 1e-5;
    }
}
