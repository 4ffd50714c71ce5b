namespace Banyan.Tensors.Tests.Goldens;

internal static class NormCases
{
    public static void Register(OpTable t)
    {
        t["layer_norm"] = LayerNorm;
        t["torch.nn.functional.layer_norm"] = LayerNorm;
        t["rms_norm"] = c => c.X.RmsNorm(c["w"], c.Double("eps"));
        t["torch.nn.functional.rms_norm"] = c => c.X.RmsNorm();
        t["rms_norm.gemma"] = c => c.X.RmsNorm(c["w"], c.Double("eps"), weightOffset: 1);
        t["rms_norm.gated"] = c => (c.X * c["z"].Silu()).RmsNorm(c["w"], c.Double("eps"));
        t["l2norm_qk"] = c => c.X.L2Norm(-1, c.Double("eps"));
        t["group_norm"] = c => c.X.GroupNorm(c.Int("num_groups"), c["w"], c["b"], c.Double("eps", 1e-5));
        t["instance_norm"] = c => c.X.InstanceNorm(c["w"], c["b"]);
        t.Many("batch_norm", c =>
        {
            Tensor mean = c["rm"].Clone(), variance = c["rv"].Clone();
            Tensor y = c.X.BatchNorm(mean, variance, c["w"], c["b"], c.Bool("training"), c.Double("momentum"), c.Double("eps"));
            return [y, mean, variance];
        });
        t["torch.nn.functional.local_response_norm"] = c =>
            c.X.LocalResponseNorm(c.Int("size"), c.Double("alpha"), c.Double("beta"), c.Double("k"));
        t["weight_norm"] = c => c["v"].WeightNorm(c["g"]);
        t["spectral_sigma"] = c => c["w"].SpectralNorm(c["u"]);
    }

    private static Tensor LayerNorm(OpCase c)
    {
        int dims = c.Has("w") ? c["w"].Rank : c.Ints("normalized_shape").Length;
        return c.X.LayerNorm(c.Optional("w"), c.Optional("b"), c.Double("eps", 1e-5), dims);
    }
}
