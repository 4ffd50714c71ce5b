namespace Banyan.Tensors.Tests.Goldens;

internal static class ActivationsCases
{
    public static void Register(OpTable t)
    {
        Functional(t);
        Gated(t);
        Softmaxes(t);
        t["softcap"] = c => c.X.Softcap(c.Double("cap"));
        t["snake"] = c => c.X.Snake(c["a"]);
        t["laplace_mega"] = c => c.X.Laplace();
    }

    private static void Functional(OpTable t)
    {
        const string F = "torch.nn.functional.";
        t[F + "relu"] = c => c.X.Relu();
        t["relu2"] = c => c.X.ReluSquared();
        t[F + "leaky_relu"] = c => c.X.LeakyRelu(c.Double("negative_slope", 0.01));
        t[F + "prelu"] = c => c.X.PRelu(c["w"]);
        t[F + "elu"] = c => c.X.Elu(c.Double("alpha", 1));
        t[F + "selu"] = c => c.X.Selu();
        t[F + "celu"] = c => c.X.Celu(c.Double("alpha", 1));
        t[F + "silu"] = c => c.X.Silu();
        t[F + "mish"] = c => c.X.Mish();
        t[F + "softplus"] = c => c.HasArg("beta") ? c.X.Softplus(c.Double("beta"), c.Double("threshold", 20)) : c.X.Softplus();
        t[F + "hardswish"] = c => c.X.Hardswish();
        t[F + "hardsigmoid"] = c => c.X.Hardsigmoid();
        t[F + "hardtanh"] = c => c.X.Hardtanh();
        t[F + "relu6"] = c => c.X.Relu6();
        t[F + "sigmoid"] = c => c.X.Sigmoid();
        t[F + "tanh"] = c => c.X.Tanh();
        t[F + "softsign"] = c => c.X.Softsign();
        t[F + "tanhshrink"] = c => c.X.Tanhshrink();
        t[F + "softshrink"] = c => c.X.Softshrink(c.Double("lambd"));
        t[F + "hardshrink"] = c => c.X.Hardshrink(c.Double("lambd"));
        t[F + "logsigmoid"] = c => c.X.LogSigmoid();
        t[F + "threshold"] = c => c.X.Threshold(c.Double("threshold"), c.Double("value"));
        t[F + "gelu"] = c => c.X.Gelu(c.Text("approximate") == "tanh" ? GeluForm.Tanh : GeluForm.Erf);
        t["gelu.quick"] = c => c.X.Gelu(GeluForm.Quick);
    }

    private static void Gated(OpTable t)
    {
        t["torch.nn.functional.glu"] = c => c.X.Glu(c.Int("dim", -1));
        t["geglu"] = c => Gate(c, x => x.Gelu());
        t["geglu.tanh"] = c => Gate(c, x => x.Gelu(GeluForm.Tanh));
        t["swiglu"] = c => Gate(c, x => x.Silu());
        t["reglu"] = c => Gate(c, x => x.Relu());
        t["swiglu.clamped"] = c => c["gate"].Clamp(max: 7).Gelu(GeluForm.Quick) * (c["up"].Clamp(-7, 7) + 1);
    }

    private static Tensor Gate(OpCase c, Func<Tensor, Tensor> f) => (f(c.X.Linear(c["wg"])) * c.X.Linear(c["wu"])).Linear(c["wd"]);

    private static void Softmaxes(OpTable t)
    {
        t["torch.nn.functional.softmax"] = c => c.X.Softmax(c.Int("dim"));
        t["torch.nn.functional.log_softmax"] = c => c.X.LogSoftmax(c.Int("dim"));
        t["torch.nn.functional.softmin"] = c => c.X.Softmin(c.Int("dim"));
        t["softmax.temperature"] = c => (c.X / c.Double("temperature")).Softmax(-1);
        t["softmax.one"] = c => c.X.SoftmaxOne(-1);
        t.Many("gumbel_softmax", c =>
        [
            c.X.GumbelSoftmax(c["noise"], c.Double("tau")),
            c.X.GumbelSoftmax(c["noise"], c.Double("tau"), hard: true),
        ]);
    }
}
