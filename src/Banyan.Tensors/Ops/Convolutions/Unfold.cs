using Banyan.Ops;

namespace Banyan;

// Windows as columns: what turns a convolution into a matrix product.
public sealed partial class Tensor
{
    /// <summary>All windows of (N, C, *S) as columns: (N, C * kernel, windows). Stride and dilation default to 1, padding to 0.</summary>
    /// <exception cref="ArgumentException">The shape does not fit the kernel.</exception>
    public Tensor Unfold(in Shape kernel, in Shape stride = default, in Shape padding = default, in Shape dilation = default)
    {
        if (Rank != kernel.Rank + 2)
        {
            throw new ArgumentException($"unfold: a kernel of {kernel.Rank} dimensions needs (N, C and as many more), given {Shape}");
        }
        Tensor windows = new WindowOptions("unfold", kernel, stride, padding, dilation).Windows(this);
        return windows.Reshape(Shape[0], Shape[1] * kernel.Count, windows.Shape.Slice(2 + kernel.Rank, kernel.Rank).Count);
    }

    /// <summary>The adjoint of <see cref="Unfold(in Shape, in Shape, in Shape, in Shape)"/>: columns (N, C * kernel, windows) added up to (N, C, *outputSize).</summary>
    /// <exception cref="ArgumentException">The shape does not fit the kernel or the number of windows.</exception>
    public Tensor Fold(in Shape outputSize, in Shape kernel, in Shape stride = default, in Shape padding = default, in Shape dilation = default)
    {
        var options = new WindowOptions("fold", kernel, stride, padding, dilation);
        int n = kernel.Rank;
        Span<long> padded = stackalloc long[n], sizes = stackalloc long[2 + 2 * n];
        long windows = 1;
        for (int i = 0; i < n; i++)
        {
            padded[i] = outputSize[i] + options.Begin[i] + options.End[i];
            sizes[2 + i] = kernel[i];
            sizes[2 + n + i] = SlidingWindows.Positions(padded[i], kernel[i], options.Stride[i], options.Dilation[i]);
            windows *= sizes[2 + n + i];
        }
        if (Rank != 3 || Shape[1] % kernel.Count != 0 || Shape[2] != windows)
        {
            throw new ArgumentException($"fold: (N, C * {kernel.Count}, {windows}) is needed for the output size {outputSize}, given {Shape}");
        }
        (sizes[0], sizes[1]) = (Shape[0], Shape[1] / kernel.Count);
        Tensor y = OverlapAdd.Apply(Reshape(new Shape(sizes)), new Shape(padded), options.Stride, options.Dilation);
        for (int i = 0; i < n; i++)
        {
            y = y.Slice(2 + i, options.Begin[i], outputSize[i]);
        }
        return y;
    }
}
