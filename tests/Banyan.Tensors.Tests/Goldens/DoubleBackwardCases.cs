namespace Banyan.Tensors.Tests.Goldens;

/// <summary>y = f(x), g = d(gy, y)/dx, then the gradients of the sum of (v, g) with respect to x (gg) and gy (ggy).</summary>
internal static class DoubleBackwardCases
{
    public static void Register(OpTable t)
    {
        Add(t, "exp", x => x[0].Exp());
        Add(t, "log", x => x[0].Log());
        Add(t, "sqrt", x => x[0].Sqrt());
        Add(t, "rsqrt", x => x[0].Rsqrt());
        Add(t, "tanh", x => x[0].Tanh());
        Add(t, "sigmoid", x => x[0].Sigmoid());
        Add(t, "mul", x => x[0] * x[1]);
        Add(t, "div", x => x[0] / x[1]);
        Add(t, "pow3", x => x[0].Pow(3));
        Add(t, "matmul", x => x[0].MatMul(x[1]));
        Add(t, "softmax", x => x[0].Softmax(-1));
        Add(t, "log_softmax", x => x[0].LogSoftmax(-1));
        Add(t, "gelu", x => x[0].Gelu());
        Add(t, "gelu_tanh", x => x[0].Gelu(GeluForm.Tanh));
        Add(t, "silu", x => x[0].Silu());
        Add(t, "softplus", x => x[0].Softplus());
        Add(t, "layer_norm", x => x[0].LayerNorm());
        Add(t, "rms_norm", x => x[0].RmsNorm(eps: 1e-6));
        Add(t, "sum_sq", x => (x[0] * x[0]).Sum(-1));
        Add(t, "linear", x => x[0].Linear(x[1], x[2]));
        Add(t, "norm", x => (x[0] * x[0]).Sum(-1).Sqrt());
        Add(t, "logsumexp", x => x[0].LogSumExp(-1));
        Add(t, "attention", x => (x[0].MatMul(x[1].Transpose(-1, -2)) / 2).Softmax(-1).MatMul(x[2]));
        Add(t, "conv1d", x => x[0].Conv(x[1], padding: [1]));
        Add(t, "cross_entropy", x => Loss.CrossEntropy(x[0], Tensor.From(0L, 2, 1)));
        Add(t, "gather", x =>
        {
            Tensor picked = x[0].Gather(1, Tensor.From([0L, 0, 1, 2, 3, 1], [3, 2]));
            return picked * picked;
        });
    }

    private static void Add(OpTable t, string op, Func<Tensor[], Tensor> f) => t.Many(op, c => Run(c, f));

    private static Tensor[] Run(OpCase c, Func<Tensor[], Tensor> f)
    {
        Tensor[] x = [.. c.InputNames.Where(n => n[0] == 'x').Select(n => c[n])];
        Tensor[] v = [.. c.InputNames.Where(n => n[0] == 'v').Select(n => c[n])];
        Tensor gy = c["gy"];
        Tensor[] all = [.. x, gy];
        foreach (Tensor leaf in all)
        {
            leaf.RequiresGrad = true;
        }
        Tensor y = f(x);
        Tensor[] g = [.. c.Scope.Tape!.Gradients(y, x, gy, createGraph: true).Select(d => d!)];
        Tensor?[] gg = c.Scope.Tape.Gradients(g, all, v);
        // A gradient that does not depend on an input has no path to it: its derivative is 0.
        return [y, .. g, .. gg.Select((d, i) => d ?? c.Scope.Zeros(all[i].Shape))];
    }
}
