namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>
    /// The points of an affine map for <see cref="GridSample"/>: this tensor holds the matrices (N, D, D + 1) for D = 2 or 3 spatial dimensions,
    /// the result is (N, *size, D) with coordinates (x, y) or (x, y, z).
    /// </summary>
    /// <param name="size">The spatial sizes (H, W) or (D, H, W).</param>
    /// <param name="alignCorners">True if -1 and 1 are the middles of the outer elements, false their outer borders. Default: false.</param>
    /// <exception cref="ArgumentException">The matrices do not fit the sizes.</exception>
    public Tensor AffineGrid(in Shape size, bool alignCorners = false)
    {
        int dims = size.Rank;
        if (Rank != 3 || Shape[1] != dims || Shape[2] != dims + 1)
        {
            throw new ArgumentException($"affine_grid: matrices (N, {dims}, {dims + 1}) are expected for {size}, given {Shape}");
        }
        var points = new double[checked(size.Count * (dims + 1))];
        for (long p = 0, row = 0; p < size.Count; p++, row += dims + 1)
        {
            long rest = p;
            for (int d = dims - 1; d >= 0; d--)
            {
                (rest, long i) = Math.DivRem(rest, size[d]);
                points[row + dims - 1 - d] = size[d] == 1 ? 0 : alignCorners ? 2.0 * i / (size[d] - 1) - 1 : (2 * i + 1.0) / size[d] - 1;
            }
            points[row + dims] = 1;
        }
        Tensor x = Allocate(this, [size.Count, dims + 1], DType.Float64);
        x.CopyFrom<double>(points);
        return x.To(DType).MatMul(Transpose(1, 2)).Reshape(size.Insert(0, Shape[0]).Insert(-1, dims));
    }
}
