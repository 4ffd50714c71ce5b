using Banyan.Ops;

namespace Banyan
{
    /// <summary>How <see cref="Tensor.Interpolate(in Shape, InterpolationMode, bool, bool)"/> fills the places between elements.</summary>
    public enum InterpolationMode
    {
        /// <summary>The element at floor(j ratio): PyTorch's (and OpenCV's) <c>nearest</c>, which is off by up to half an element.</summary>
        Nearest,

        /// <summary>The element at floor((j + 1/2) ratio): <c>nearest-exact</c>, as in Pillow.</summary>
        NearestExact,

        /// <summary>Linear along each dimension: <c>linear</c>, <c>bilinear</c>, <c>trilinear</c>.</summary>
        Linear,

        /// <summary>Cubic along each dimension: <c>bicubic</c>.</summary>
        Cubic,

        /// <summary>The means of the parts: <c>area</c>.</summary>
        Area,
    }

    public sealed partial class Tensor
    {
        /// <summary>Resamples the last dimensions, as many as <paramref name="size"/> has, to that size.</summary>
        /// <param name="size">Sizes of the result.</param>
        /// <param name="mode">Default: nearest.</param>
        /// <param name="alignCorners">True puts the first and last elements onto each other, false the outer borders. Linear and cubic. Default: false.</param>
        /// <param name="antialias">True widens the kernel where the result is smaller. Linear and cubic. Default: false.</param>
        /// <exception cref="ArgumentException">There are fewer dimensions, or a size is 0.</exception>
        public Tensor Interpolate(in Shape size, InterpolationMode mode = InterpolationMode.Nearest, bool alignCorners = false, bool antialias = false)
        {
            if (size.Rank > Rank || size.Count == 0 || Count == 0)
            {
                throw new ArgumentException($"interpolate: {Shape} cannot be resampled to {size}");
            }
            Tensor y = this;
            for (int i = 0; i < size.Rank; i++)
            {
                int d = Rank - size.Rank + i;
                y = y.Resample(d, size[i], (double)Shape[d] / size[i], mode, alignCorners, antialias);
            }
            return y;
        }

        /// <summary>Resamples every dimension but the first two (batch and channels) to floor(size * <paramref name="scaleFactor"/>).</summary>
        /// <param name="scaleFactor">How much larger the result is; it maps the coordinates, although the sizes are rounded.</param>
        /// <param name="mode">Default: nearest.</param>
        /// <param name="alignCorners">True puts the first and last elements onto each other, false the outer borders. Default: false.</param>
        /// <param name="antialias">True widens the kernel where the result is smaller. Default: false.</param>
        /// <param name="recomputeScaleFactor">True maps the coordinates by the ratio of the rounded sizes. Default: false.</param>
        /// <exception cref="ArgumentException">The result would be empty.</exception>
        public Tensor Interpolate(double scaleFactor, InterpolationMode mode = InterpolationMode.Nearest, bool alignCorners = false, bool antialias = false,
            bool recomputeScaleFactor = false)
        {
            Tensor y = this;
            for (int d = 2; d < Rank; d++)
            {
                long to = (long)Math.Floor(Shape[d] * scaleFactor);
                if (to < 1)
                {
                    throw new ArgumentException($"interpolate: {Shape} times {scaleFactor} leaves nothing");
                }
                y = y.Resample(d, to, recomputeScaleFactor ? (double)Shape[d] / to : 1 / scaleFactor, mode, alignCorners, antialias);
            }
            return y;
        }

        private Tensor Resample(int dim, long to, double ratio, InterpolationMode mode, bool alignCorners, bool antialias)
        {
            if (mode is InterpolationMode.Nearest or InterpolationMode.NearestExact)
            {
                return IndexSelect(dim, NearestIndex(Shape[dim], to, (float)ratio, mode == InterpolationMode.Nearest ? 0 : 0.5f));
            }
            var weights = new InterpolationWeights(Shape[dim], to, antialias && alignCorners && to > 1 ? (Shape[dim] - 1.0) / (to - 1) : ratio);
            bool cubic = mode == InterpolationMode.Cubic;
            return AxisProduct.Apply(this, dim,
                mode == InterpolationMode.Area ? weights.Averaging() : antialias ? weights.Antialiasing(cubic) : weights.Interpolating(cubic, alignCorners), to);
        }

        // In float32 like the reference: where a product is next to an integer, its rounding decides.
        private Tensor NearestIndex(long from, long to, float ratio, float offset)
        {
            Tensor index = Allocate(this, [to], DType.Int64);
            index.CopyFrom<long>(Sequence(to, j => Math.Min((long)MathF.Floor((j + offset) * ratio), from - 1)));
            return index;
        }
    }
}
