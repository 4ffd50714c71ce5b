namespace Banyan.Nn.Tests.Goldens;

/// <summary>Positions and state spaces.</summary>
internal static class SequenceTable
{
    /// <summary>The tolerance of the outputs, or null where the case is another table's.</summary>
    public static double? Run(LayerCase c) => c.Name switch
    {
        "sinusoidal_positions" => Sinusoids(c),
        "rotary_positions" => Rotary(c),
        "mamba2_ssd" => Duality(c),
        "mamba_selective_scan" => SelectiveScan(c),
        _ => null,
    };

    private static double? Duality(LayerCase c)
    {
        var w = c.Load(new Weights(c));
        Tensor x = c.In("x"), dt = (c.In("dt_raw") + w.Use("dt_bias", c.Pass)).Softplus(), a = -w.Use("A_log", c.Pass).Exp(), d = w.Use("D", c.Pass).Reshape(1, -1, 1);
        (Tensor Y, Tensor State)[] rows = [.. Enumerable.Range(0, (int)x.Shape[0]).Select(i =>
        {
            Tensor own = x.Select(0, i);
            (Tensor y, Tensor state) = StateSpaceDuality.Apply(own, dt.Select(0, i), a, c.In("B").Select(0, i), c.In("C").Select(0, i), c.In("h0").Select(0, i), chunk: 3);
            return (y + own * d, state);
        })];
        c.Out("y", Tensor.Stack([.. rows.Select(r => r.Y)]));
        c.Out("final_state", Tensor.Stack([.. rows.Select(r => r.State)]));
        return 1e-4;
    }

    private static double? SelectiveScan(LayerCase c)
    {
        var w = c.Load(new Weights(c));
        int rank = (int)c.Parameters.Long("dt_rank", 0), state = (int)c.Parameters.Long("d_state", 0);
        Tensor x = c.In("x"), z = c.In("z"), a = -w.Use("A_log", c.Pass).Exp();
        (Tensor Y, Tensor State, Tensor Delta)[] rows = [.. Enumerable.Range(0, (int)x.Shape[0]).Select(i =>
        {
            Tensor own = x.Select(0, i);
            Tensor[] p = Ops.Linear.Apply(own, w.Use("x_proj", c.Pass)).Split([rank, state, state], 1);
            Tensor delta = Ops.Linear.Apply(p[0], w.Use("dt_proj_weight", c.Pass), w.Use("dt_proj_bias", c.Pass)).Softplus();
            (Tensor y, Tensor last) = own.SelectiveScan(delta, a, p[1], p[2], w.Use("D", c.Pass), c.In("h0").Select(0, i));
            return (y, last, delta);
        })];
        Tensor ungated = Tensor.Stack([.. rows.Select(r => r.Y)]);
        c.Out("ungated", ungated);
        c.Out("y", ungated * z.Silu());
        c.Out("delta", Tensor.Stack([.. rows.Select(r => r.Delta)]));
        c.Out("final_state", Tensor.Stack([.. rows.Select(r => r.State)]));
        return 1e-4;
    }

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
