namespace Banyan.Tensors.Tests.Goldens;

internal static class MatmulCases
{
    public static void Register(OpTable t)
    {
        t["torch.matmul"] = c => c.X.MatMul(c.Y);
        t["torch.bmm"] = c => c.X.MatMul(c.Y);
        t["torch.baddbmm"] = AddMM;
        t["torch.addmm"] = AddMM;
        t["torch.addmv"] = AddMM;
        t["torch.outer"] = c => c.X.Outer(c.Y);
        t["torch.dot"] = c => c.X.Dot(c.Y);
        t["torch.kron"] = c => c.X.Kron(c.Y);
        t["torch.linalg.cross"] = c => c.X.Cross(c.Y);
        t["torch.tensordot"] = c => c.X.TensorDot(c.Y, Dims(c, 0), Dims(c, 1));
        t["multi_dot"] = c => c.X.MatMul(c.Y).MatMul(c["z"]);
        t["torch.nn.functional.linear"] = c => c.X.Linear(c["w"], c.Optional("b"));
        t["torch.nn.functional.bilinear"] = c => c.X.Bilinear(c.Y, c["w"], c.Optional("b"));
        t["einsum"] = c => Tensor.Einsum(c.Text("equation"), c.Inputs);
        t["torch.nn.functional.conv1d"] = Conv;
        t["torch.nn.functional.conv2d"] = Conv;
        t["conv.conv1d_causal_depthwise"] = c => c.X.Conv(c["w"], c["b"], padding: [c["w"].Shape[-1] - 1, 0], groups: (int)c.X.Shape[1]);
        t["torch.nn.functional.conv_transpose2d"] = c => c.X.ConvTranspose(
            c["w"], c["b"], c.Ints("stride"), c.Ints("padding"), c.Ints("output_padding"), c.Ints("dilation"), c.Int("groups", 1));
        t["torch.nn.functional.max_pool2d"] = c => c.X.MaxPool(Two(c, "kernel_size"), c.Ints("stride"), c.Ints("padding"));
        t["torch.nn.functional.avg_pool2d"] = c => c.X.AvgPool(
            Two(c, "kernel_size"), c.Ints("stride"), c.Ints("padding"), c.Bool("ceil_mode"), c.Bool("count_include_pad", true));
        t["torch.nn.functional.adaptive_avg_pool2d"] = c => c.X.AdaptiveAvgPool(Two(c, "output_size"));
    }

    private static Tensor AddMM(OpCase c) => c["c"].AddMM(c["x"], c["y"], c.Double("beta", 1), c.Double("alpha", 1));

    private static Tensor Conv(OpCase c) =>
        c.X.Conv(c["w"], c["b"], c.Ints("stride"), c.Ints("padding"), c.Ints("dilation"), c.Int("groups", 1));

    private static int[] Dims(OpCase c, int which) => [.. c.Args.GetProperty("dims")[which].EnumerateArray().Select(d => d.GetInt32())];

    private static Shape Two(OpCase c, string key) => c.Ints(key) is [long one] ? [one, one] : c.Ints(key);
}
