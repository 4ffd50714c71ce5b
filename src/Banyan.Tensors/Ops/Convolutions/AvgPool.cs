namespace Banyan.Ops
{
    /// <summary>The mean of each window; the number of elements that it is divided by is the same pooling of a tensor of ones.</summary>
    public static class AvgPool
    {
        /// <summary>x (..., *S) to (..., *S').</summary>
        public static Tensor Apply(Tensor x, in Shape kernel, in Shape stride, in Shape padding, bool ceilMode, bool countIncludePad)
        {
            var options = new WindowOptions("avg_pool", kernel, stride.Rank == 0 ? kernel : stride, padding, default);
            Shape size = x.Shape.Slice(x.Rank - kernel.Rank, kernel.Rank);
            Shape extra = ceilMode ? PoolSize.CeilExtra(size, options) : default;
            Tensor ones = Tensor.Allocate(x, size, DType.Float32);
            ones.Fill(1);
            if (countIncludePad)
            {
                ones = options.Pad(ones);
                ones.Fill(1);
                ones = new WindowOptions("avg_pool", kernel, options.Stride, default, default).Pad(ones, extra);
            }
            else
            {
                ones = options.Pad(ones, extra);
            }
            return SumWindows(options.Pad(x, extra), options) / SumWindows(ones, options).To(x.DType);
        }

        private static Tensor SumWindows(Tensor x, in WindowOptions o)
        {
            Tensor windows = SlidingWindows.Apply(x, o.Kernel, o.Stride, o.Dilation);
            for (int i = 0; i < o.Rank; i++)
            {
                windows = windows.Sum(x.Rank - o.Rank);
            }
            return windows;
        }
    }

    /// <summary>
    /// The mean over [floor(i S / S'), ceil((i + 1) S / S')) for each output i: a product with a matrix of weights along each dimension.
    /// </summary>
    public static class AdaptiveAvgPool
    {
        /// <summary>x (..., *S) to (..., *outputSize).</summary>
        public static Tensor Apply(Tensor x, in Shape outputSize)
        {
            for (int i = 0; i < outputSize.Rank; i++)
            {
                int d = x.Rank - outputSize.Rank + i;
                x = AxisProduct.Apply(x, d, new InterpolationWeights(x.Shape[d], outputSize[i], 1).Averaging(), outputSize[i]);
            }
            return x;
        }
    }

    internal static class PoolSize
    {
        /// <summary>
        /// The elements to append so that a last, partial window fits (PyTorch's ceil_mode): only windows that begin inside the input or the
        /// padding before it count.
        /// </summary>
        public static Shape CeilExtra(in Shape size, in WindowOptions o)
        {
            Span<long> extra = stackalloc long[Shape.MaxRank];
            for (int i = 0; i < size.Rank; i++)
            {
                long padded = size[i] + o.Begin[i] + o.End[i], extent = o.Dilation[i] * (o.Kernel[i] - 1) + 1;
                long positions = (padded - extent + o.Stride[i] - 1) / o.Stride[i] + 1;
                positions -= (positions - 1) * o.Stride[i] >= size[i] + o.Begin[i] ? 1 : 0;
                extra[i] = Math.Max(0, (positions - 1) * o.Stride[i] + extent - padded);
            }
            return new Shape(extra[..size.Rank]);
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The means of windows over the last dimensions, as many as <paramref name="kernel"/> names: PyTorch's avg_pool1d to 3d.</summary>
        /// <param name="kernel">Window size of each dimension.</param>
        /// <param name="stride">Default: the kernel.</param>
        /// <param name="padding">Zeros at both sides. Default: 0.</param>
        /// <param name="ceilMode">Adds a last, partial window. Default: false.</param>
        /// <param name="countIncludePad">Padding counts in the mean. Default: true.</param>
        public Tensor AvgPool(in Shape kernel, in Shape stride = default, in Shape padding = default, bool ceilMode = false, bool countIncludePad = true) =>
            Ops.AvgPool.Apply(this, kernel, stride, padding, ceilMode, countIncludePad);

        /// <summary>The means of the windows that split the last dimensions into <paramref name="outputSize"/> parts.</summary>
        public Tensor AdaptiveAvgPool(in Shape outputSize) => Ops.AdaptiveAvgPool.Apply(this, outputSize);
    }
}
