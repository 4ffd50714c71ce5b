namespace Banyan.Tensors.Tests.Goldens;

internal static class ResampleCases
{
    public static void Register(OpTable t)
    {
        t["torch.nn.functional.interpolate"] = Interpolate;
        t["torch.nn.functional.grid_sample"] = c => c.X.GridSample(c["grid"], Mode(c), Enum.Parse<GridPadding>(c.Text("padding_mode"), ignoreCase: true), c.Bool("align_corners"));
        t["torch.nn.functional.affine_grid"] = c => c.X.AffineGrid(c.Ints("size")[2..], c.Bool("align_corners"));
    }

    private static Tensor Interpolate(OpCase c) => c.HasArg("size")
        ? c.X.Interpolate(c.Ints("size"), Mode(c), c.Bool("align_corners"), c.Bool("antialias"))
        : c.X.Interpolate(c.Double("scale_factor"), Mode(c), c.Bool("align_corners"), c.Bool("antialias"), c.Bool("recompute_scale_factor"));

    private static InterpolationMode Mode(OpCase c) => c.Text("mode") switch
    {
        "nearest" => InterpolationMode.Nearest,
        "nearest-exact" => InterpolationMode.NearestExact,
        "area" => InterpolationMode.Area,
        "bicubic" => InterpolationMode.Cubic,
        _ => InterpolationMode.Linear,
    };
}
