namespace Banyan.Tensors.Tests.Goldens;

/// <summary>Huge, tiny and non-finite numbers, through the calls of the other groups wherever there is one.</summary>
internal static class ExtremeCases
{
    public static void Register(OpTable t)
    {
        ElementwiseCases.Register(t);
        IndexingCases.Register(t);
        ReductionsCases.Register(t);
        ActivationsCases.Register(t);
        t["rms_norm"] = c => c.X.RmsNorm(eps: c.Double("eps"));
        t["torch.softmax"] = c => c.X.Softmax(c.Int("dim"));
        t["add"] = c => c.X + c.Y - c.X;
        t.Many("inf_arith", c => [c.X + c.Y, c.X - c.Y, c.X * c.Y, c.X / c.Y]);
        t.Many("subnormal", c => [c.X * c.Y, c.X / c.Y.Reciprocal()]);   // the stored quotients are those by 1/y
        t["attention"] = c => Ops.Attention.Apply(c["q"].Unsqueeze(1), c["k"].Unsqueeze(1), c["v"].Unsqueeze(1)).Squeeze(1);
        t["masked_mean_all"] = c => (c.X * c["m"]).Sum(-1) / c["m"].Sum(-1).Clamp(min: 1);
        t["torch.nn.functional.max_pool1d"] = c => c.X.MaxPool([c.Int("kernel_size")]);
        t["clip_scale_nonfinite"] = c => c.X * (c.X.VectorNorm() + 1e-6).Reciprocal().Clamp(max: 1);
    }
}
