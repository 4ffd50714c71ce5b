using Banyan.Ops;

namespace Banyan;

public sealed partial class Tensor
{
    /// <summary>
    /// The p-norm of windows over the last dimensions, as many as <paramref name="kernel"/> names: PyTorch's lp_pool1d to 3d, except that it counts
    /// magnitudes, where PyTorch lets the signs of an odd power cancel.
    /// </summary>
    /// <param name="p">The norm; infinity is <see cref="MaxPool(in Shape, in Shape, in Shape, in Shape, bool)"/> of magnitudes.</param>
    /// <param name="kernel">Window size of each dimension.</param>
    /// <param name="stride">Default: the kernel.</param>
    public Tensor LpPool(double p, in Shape kernel, in Shape stride = default)
    {
        int lead = Rank - kernel.Rank;
        Tensor windows = new WindowOptions("lp_pool", kernel, stride.Rank == 0 ? kernel : stride, default, default).Windows(this);
        return windows.VectorNorm([.. Enumerable.Range(lead, kernel.Rank)], p);
    }
}
