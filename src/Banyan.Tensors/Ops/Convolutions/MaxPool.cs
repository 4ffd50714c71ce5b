namespace Banyan.Ops
{
    /// <summary>The largest element of each window; the gradient goes to the first of equal ones.</summary>
    public static class MaxPool
    {
        /// <summary>x (..., *S) to (..., *S').</summary>
        public static Tensor Apply(Tensor x, in Shape kernel, in Shape stride, in Shape padding, in Shape dilation, bool ceilMode) =>
            Largest(x, new WindowOptions("max_pool", kernel, stride.Rank == 0 ? kernel : stride, padding, dilation), ceilMode).Values;

        /// <summary>x (..., *S) to the maxima (..., *S') and where in *S (flat, int64) each lies.</summary>
        public static (Tensor Values, Tensor Indices) WithIndices(
            Tensor x, in Shape kernel, in Shape stride, in Shape padding, in Shape dilation, bool ceilMode)
        {
            var options = new WindowOptions("max_pool", kernel, stride.Rank == 0 ? kernel : stride, padding, dilation);
            (Tensor values, Tensor chosen) = Largest(x, options, ceilMode);
            int lead = x.Rank - kernel.Rank;
            Shape size = x.Shape.Slice(lead, kernel.Rank), output = values.Shape.Slice(lead, kernel.Rank);
            Tensor places = Tensor.Allocate(x, [kernel.Count, output.Count], DType.Int64);
            places.CopyFrom<long>(Places(size, output, options));
            Shape rows = x.Shape.Slice(0, lead).Insert(-1, kernel.Count).Insert(-1, output.Count);
            return (values, places.Expand(rows).Gather(lead, chosen.Unsqueeze(lead)).Reshape(values.Shape));
        }

        // The maxima, and (..., S') which element of its window each is.
        private static (Tensor Values, Tensor Chosen) Largest(Tensor x, in WindowOptions options, bool ceilMode)
        {
            Shape kernel = options.Kernel;
            int lead = x.Rank - kernel.Rank;
            Shape size = x.Shape.Slice(lead, kernel.Rank);
            Shape extra = ceilMode ? PoolSize.CeilExtra(size, options) : default;
            Tensor windows = SlidingWindows.Apply(PadWithMinusInfinity(x, size, options, extra), kernel, options.Stride, options.Dilation);
            Shape output = windows.Shape.Slice(lead + kernel.Rank, kernel.Rank);
            Tensor rows = windows.Reshape(x.Shape.Slice(0, lead).Insert(-1, kernel.Count).Insert(-1, output.Count));
            Span<long> sizes = stackalloc long[Shape.MaxRank];
            x.Shape.Span[..lead].CopyTo(sizes);
            output.Span.CopyTo(sizes[lead..]);
            (Tensor values, Tensor chosen) = rows.Max(lead);
            return (values.Reshape(new Shape(sizes[..x.Rank])), chosen);
        }

        // For element k of window o, both flat: its flat index in the input without padding.
        private static long[] Places(in Shape size, in Shape output, in WindowOptions options)
        {
            var places = new long[options.Kernel.Count * output.Count];
            for (long at = 0; at < places.Length; at++)
            {
                long k = at / output.Count, o = at % output.Count, stride = 1;
                for (int i = size.Rank - 1; i >= 0; i--)
                {
                    long inside = (o % output[i] * options.Stride[i]) + (k % options.Kernel[i] * options.Dilation[i]) - options.Begin[i];
                    places[at] += inside * stride;
                    (k, o, stride) = (k / options.Kernel[i], o / output[i], stride * size[i]);
                }
            }
            return places;
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

        /// <summary>
        /// <see cref="MaxPool(in Shape, in Shape, in Shape, in Shape, bool)"/> and where each maximum lies: its flat index in the pooled dimensions of the
        /// input, int64 (PyTorch's return_indices). The first of equal elements counts.
        /// </summary>
        /// <param name="kernel">Window size of each dimension.</param>
        /// <param name="stride">Default: the kernel.</param>
        /// <param name="padding">-infinity at both sides. Default: 0.</param>
        /// <param name="dilation">Distance between window elements. Default: 1.</param>
        /// <param name="ceilMode">Adds a last, partial window. Default: false.</param>
        public (Tensor Values, Tensor Indices) MaxPoolWithIndices(
            in Shape kernel, in Shape stride = default, in Shape padding = default, in Shape dilation = default, bool ceilMode = false) =>
            Ops.MaxPool.WithIndices(this, kernel, stride, padding, dilation, ceilMode);
    }
}
