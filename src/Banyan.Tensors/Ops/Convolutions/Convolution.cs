namespace Banyan.Ops
{
    /// <summary>
    /// Cross-correlation in one to three dimensions, channels first: y[b, o, p] = sum over c and k of w[o, c, k] x[b, c, p * stride + k *
    /// dilation - padding], plus a bias. The windows are laid out as a matrix (im2col, Chellapilla et al. 2006) and multiplied, so gradients
    /// of every order come from the operations it is made of.
    /// </summary>
    public static class Convolution
    {
        /// <summary>x (B, C, *S) and weight (O, C / groups, *K): (B, O, *S').</summary>
        public static Tensor Apply(Tensor x, Tensor weight, Tensor? bias, in Shape stride, in Shape padding, in Shape dilation, int groups)
        {
            int n = Dimensions("conv", x, weight);
            long outputs = weight.Shape[0], channels = x.Shape[1];
            if (groups < 1 || channels != weight.Shape[1] * groups || outputs % groups != 0)
            {
                throw new ArgumentException($"conv: {channels} input channels in {groups} groups do not fit the weight {weight.Shape} of (out, in / groups, kernel)");
            }
            var options = new WindowOptions("conv", weight.Shape.Slice(2, n), stride, padding, dilation);
            Tensor windows = options.Windows(x);                                                // (B, C, *K, *O)
            Shape size = windows.Shape.Slice(2 + n, n);
            long taps = weight.Shape[1] * options.Kernel.Count;
            Tensor columns = windows.Reshape(x.Shape[0], groups, taps, size.Count);
            Tensor w = weight.InScopeOf(x).Reshape(groups, outputs / groups, taps);
            Tensor y = w.MatMul(columns).Reshape(WithChannels(x.Shape[0], outputs, size));      // (B, O, *O)
            return AddBias(y, bias);
        }

        internal static int Dimensions(string op, Tensor x, Tensor weight)
        {
            int n = weight.Rank - 2;
            return n is >= 1 and <= 3 && x.Rank == n + 2
                ? n
                : throw new ArgumentException($"{op}: the input {x.Shape} and the weight {weight.Shape} must both have 3 (1-d), 4 (2-d) or 5 (3-d) dimensions");
        }

        internal static Shape WithChannels(long batch, long channels, in Shape size) => size.Insert(0, channels).Insert(0, batch);

        internal static Tensor AddBias(Tensor y, Tensor? bias)
        {
            if (bias is null)
            {
                return y;
            }
            Span<long> sizes = stackalloc long[Shape.MaxRank];
            sizes.Fill(1);
            sizes[0] = bias.Count;
            return y + bias.InScopeOf(y).Reshape(new Shape(sizes[..(y.Rank - 1)]));
        }
    }

    /// <summary>
    /// The adjoint of <see cref="Convolution"/> with respect to its input ("deconvolution"): every input element adds its kernel, scaled, to the
    /// output. Output size: (S - 1) * stride - 2 * padding + dilation * (K - 1) + output padding + 1.
    /// </summary>
    public static class ConvolutionTransposed
    {
        /// <summary>x (B, C, *S) and weight (C, O / groups, *K): (B, O, *S').</summary>
        public static Tensor Apply(
            Tensor x, Tensor weight, Tensor? bias, in Shape stride, in Shape padding, in Shape outputPadding, in Shape dilation, int groups)
        {
            int n = Convolution.Dimensions("conv_transpose", x, weight);
            long channels = x.Shape[1], perGroup = weight.Shape[1];
            if (groups < 1 || channels != weight.Shape[0] || channels % groups != 0)
            {
                throw new ArgumentException($"conv_transpose: {channels} input channels in {groups} groups do not fit the weight {weight.Shape} of (in, out / groups, kernel)");
            }
            var options = new WindowOptions("conv_transpose", weight.Shape.Slice(2, n), stride, padding, dilation);
            Shape extra = WindowOptions.PerDimension("conv_transpose", nameof(outputPadding), outputPadding, n, 0);
            long batch = x.Shape[0], taps = perGroup * options.Kernel.Count;
            Shape size = x.Shape.Slice(2, n);
            Tensor w = weight.InScopeOf(x).Reshape(groups, channels / groups, taps).Transpose(1, 2);
            Tensor columns = w.MatMul(x.Reshape(batch, groups, channels / groups, size.Count));  // (B, G, O / G * K, S)
            Tensor windows = columns.Reshape(WindowShape(batch, perGroup * groups, options.Kernel, size));
            Tensor y = OverlapAdd.Apply(windows, FullSize(size, options, extra), options.Stride, options.Dilation);
            return Convolution.AddBias(Crop(y, options), bias);
        }

        private static Shape WindowShape(long batch, long channels, in Shape kernel, in Shape size)
        {
            Span<long> sizes = stackalloc long[Shape.MaxRank];
            sizes[0] = batch;
            sizes[1] = channels;
            kernel.Span.CopyTo(sizes[2..]);
            size.Span.CopyTo(sizes[(2 + kernel.Rank)..]);
            return new Shape(sizes[..(2 + 2 * kernel.Rank)]);
        }

        // The sizes before the padding is cut off.
        private static Shape FullSize(in Shape size, in WindowOptions o, in Shape extra)
        {
            Span<long> full = stackalloc long[Shape.MaxRank];
            for (int i = 0; i < size.Rank; i++)
            {
                if (extra[i] >= Math.Max(o.Stride[i], o.Dilation[i]))
                {
                    throw new ArgumentException($"conv_transpose: output padding {extra[i]} must be smaller than the stride {o.Stride[i]} or the dilation {o.Dilation[i]}");
                }
                full[i] = checked(Math.Max(size[i] - 1, 0) * o.Stride[i] + o.Dilation[i] * (o.Kernel[i] - 1) + 1 + extra[i]);
            }
            return new Shape(full[..size.Rank]);
        }

        private static Tensor Crop(Tensor y, in WindowOptions o)
        {
            for (int i = 0; i < o.Rank; i++)
            {
                long cut = o.Begin[i] + o.End[i];
                y = cut == 0 ? y : y.Slice(2 + i, o.Begin[i], y.Shape[2 + i] - cut);
            }
            return y;
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>
        /// Convolution (cross-correlation) of this (B, C, *S) in one, two or three dimensions, as many as the weight has: PyTorch's conv1d,
        /// conv2d and conv3d.
        /// </summary>
        /// <param name="weight">(out, in / groups, *kernel).</param>
        /// <param name="bias">(out), or null.</param>
        /// <param name="stride">One number, or one per dimension. Default: 1.</param>
        /// <param name="padding">Zeros at both sides: one number, one per dimension, or (begin, end) of each dimension; a causal 1-d
        /// convolution takes <c>[k - 1, 0]</c>. Default: 0.</param>
        /// <param name="dilation">Distance between kernel elements: one number, or one per dimension. Default: 1.</param>
        /// <param name="groups">Groups of channels that do not mix; the number of channels makes it depthwise.</param>
        /// <exception cref="ArgumentException">Sizes do not fit.</exception>
        public Tensor Conv(Tensor weight, Tensor? bias = null, in Shape stride = default, in Shape padding = default, in Shape dilation = default, int groups = 1) =>
            Ops.Convolution.Apply(this, weight, bias, stride, padding, dilation, groups);

        /// <summary>Transposed convolution of this (B, C, *S): PyTorch's conv_transpose1d, 2d and 3d.</summary>
        /// <param name="weight">(in, out / groups, *kernel).</param>
        /// <param name="bias">(out), or null.</param>
        /// <param name="stride">One number, or one per dimension. Default: 1.</param>
        /// <param name="padding">What is cut off at both sides: one number, one per dimension, or (begin, end) of each. Default: 0.</param>
        /// <param name="outputPadding">Elements added at the end, to tell apart the input sizes that a stride merges. Default: 0.</param>
        /// <param name="dilation">One number, or one per dimension. Default: 1.</param>
        /// <param name="groups">Groups of channels that do not mix.</param>
        /// <exception cref="ArgumentException">Sizes do not fit.</exception>
        public Tensor ConvTranspose(
            Tensor weight, Tensor? bias = null, in Shape stride = default, in Shape padding = default, in Shape outputPadding = default,
            in Shape dilation = default, int groups = 1) =>
            Ops.ConvolutionTransposed.Apply(this, weight, bias, stride, padding, outputPadding, dilation, groups);
    }
}
