namespace Banyan.Ops
{
    /// <summary>The largest element of each window; the gradient goes to the first of equal ones.</summary>
    public static class MaxPool
    {
        /// <summary>x (..., *S) to (..., *S').</summary>
        public static Tensor Apply(Tensor x, in Shape kernel, in Shape stride, in Shape padding, in Shape dilation, bool ceilMode)
        {
            var options = new WindowOptions("max_pool", kernel, stride.Rank == 0 ? kernel : stride, padding, dilation);
            Shape size = x.Shape.Slice(x.Rank - kernel.Rank, kernel.Rank);
            Shape extra = ceilMode ? PoolSize.CeilExtra(size, options) : default;
            Tensor windows = SlidingWindows.Apply(PadWithMinusInfinity(x, size, options, extra), options.Kernel, options.Stride, options.Dilation);
            int lead = x.Rank - kernel.Rank;
            Shape output = windows.Shape.Slice(lead + kernel.Rank, kernel.Rank);
            Tensor rows = windows.Reshape(x.Shape.Slice(0, lead).Insert(-1, kernel.Count).Insert(-1, output.Count));
            Span<long> sizes = stackalloc long[Shape.MaxRank];
            x.Shape.Span[..lead].CopyTo(sizes);
            output.Span.CopyTo(sizes[lead..]);
            return rows.Max(lead).Values.Reshape(new Shape(sizes[..x.Rank]));
        }

        private static Tensor PadWithMinusInfinity(Tensor x, in Shape size, in WindowOptions o, in Shape extra)
        {
            Tensor padded = o.Pad(x, extra);
            if (ReferenceEquals(padded, x))
            {
                return x;
            }
            // 0 inside, -inf around: added, it turns the zeros of the padding into -inf and lets gradients through.
            Tensor border = Tensor.Allocate(x, padded.Shape.Slice(x.Rank - o.Rank, o.Rank));
            border.Fill(double.NegativeInfinity);
            Tensor inside = border;
            for (int i = 0; i < o.Rank; i++)
            {
                inside = inside.Slice(i, o.Begin[i], size[i]);
            }
            inside.Fill(0);
            return padded + border;
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The maxima of windows over the last dimensions, as many as <paramref name="kernel"/> names: PyTorch's max_pool1d to 3d.</summary>
        /// <param name="kernel">Window size of each dimension.</param>
        /// <param name="stride">Default: the kernel.</param>
        /// <param name="padding">-infinity at both sides. Default: 0.</param>
        /// <param name="dilation">Distance between window elements. Default: 1.</param>
        /// <param name="ceilMode">Adds a last, partial window. Default: false.</param>
        public Tensor MaxPool(in Shape kernel, in Shape stride = default, in Shape padding = default, in Shape dilation = default, bool ceilMode = false) =>
            Ops.MaxPool.Apply(this, kernel, stride, padding, dilation, ceilMode);
    }
}
