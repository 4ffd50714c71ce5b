using Banyan.Ops;

namespace Banyan
{
    /// <summary>What a sampling grid sees outside an image.</summary>
    public enum GridPadding
    {
        /// <summary>Zeros.</summary>
        Zeros,

        /// <summary>The nearest element of the border.</summary>
        Border,

        /// <summary>The image, mirrored at its borders as often as needed.</summary>
        Reflection,
    }

    public sealed partial class Tensor
    {
        /// <summary>Samples images (N, C, H, W) at the points of <paramref name="grid"/> (N, H', W', 2): (N, C, H', W').</summary>
        /// <param name="grid">Points (x, y); -1 and 1 are the borders.</param>
        /// <param name="mode"><see cref="InterpolationMode.Nearest"/> (to even on ties), <see cref="InterpolationMode.Linear"/> (the default) or <see cref="InterpolationMode.Cubic"/>.</param>
        /// <param name="padding">Default: zeros.</param>
        /// <param name="alignCorners">True if -1 and 1 are the middles of the outer elements, false their outer borders. Default: false.</param>
        /// <exception cref="ArgumentException">The shapes do not fit, or the mode is none of the three.</exception>
        public Tensor GridSample(Tensor grid, InterpolationMode mode = InterpolationMode.Linear, GridPadding padding = GridPadding.Zeros, bool alignCorners = false)
        {
            if (Rank != 4 || grid.Rank != 4 || grid.Shape[3] != 2 || grid.Shape[0] != Shape[0] || Shape[2] * Shape[3] == 0)
            {
                throw new ArgumentException($"grid_sample: images (N, C, H, W) and a grid (N, H', W', 2) are expected, given {Shape} and {grid.Shape}");
            }
            var xs = new GridAxis(Shape[3], padding, alignCorners).Taps(grid.Select(3, 0), mode);
            var ys = new GridAxis(Shape[2], padding, alignCorners).Taps(grid.Select(3, 1), mode);
            Tensor? sum = null;
            foreach (var (row, rowWeight) in ys)
            {
                foreach (var (column, columnWeight) in xs)
                {
                    Tensor part = Pick(row * row.Number(Shape[3]) + column) * (rowWeight * columnWeight).Unsqueeze(1);
                    sum = sum is null ? part : sum + part;
                }
            }
            return sum!;
        }

        // The elements of every channel at indices (N, H', W') into H W: (N, C, H', W').
        private Tensor Pick(Tensor index)
        {
            long n = Shape[0], c = Shape[1], points = index.Shape[1] * index.Shape[2];
            return Reshape(n, c, Shape[2] * Shape[3]).Gather(2, index.Reshape(n, 1, points).Expand([n, c, points])).Reshape(n, c, index.Shape[1], index.Shape[2]);
        }
    }
}

namespace Banyan.Ops
{
    /// <summary>One dimension of a sampled image: which elements a coordinate touches, and with which (differentiable) weights.</summary>
    internal readonly struct GridAxis(long size, GridPadding padding, bool alignCorners)
    {
        private const double A = -0.75;   // of the cubic

        /// <summary>Indices (int64, within the image) and weights (0 where the index had to be moved for zero padding), each of the coordinates' shape.</summary>
        public (Tensor Index, Tensor Weight)[] Taps(Tensor grid, InterpolationMode mode)
        {
            Tensor at = alignCorners ? (grid + 1) * ((size - 1) / 2.0) : ((grid + 1) * (double)size - 1) / 2;
            switch (mode)
            {
                case InterpolationMode.Nearest:
                    Tensor nearest = Inside(at).Round();
                    return [Tap(nearest, nearest * 0 + 1)];
                case InterpolationMode.Linear:
                    at = Inside(at);
                    Tensor floor = at.Floor(), t = at - floor;
                    return [Tap(floor, 1 - t), Tap(floor + 1, t)];
                case InterpolationMode.Cubic:
                    Tensor base_ = at.Floor(), u = at - base_;
                    return [Cubic(base_ - 1, Outer(u + 1)), Cubic(base_, Inner(u)), Cubic(base_ + 1, Inner(1 - u)), Cubic(base_ + 2, Outer(2 - u))];
                default:
                    throw new ArgumentException($"grid_sample: the mode is {mode}; Nearest, Linear and Cubic are known");
            }
        }

        // The cubic moves each of its elements into the image, the others the coordinate.
        private (Tensor, Tensor) Cubic(Tensor index, Tensor weight) => Tap(Inside(index), weight);

        private (Tensor, Tensor) Tap(Tensor index, Tensor weight)
        {
            Tensor limited = index.Clamp(0, size - 1);
            return (limited.To(DType.Int64).Clamp(0, size - 1), padding == GridPadding.Zeros ? weight.MaskedFill(limited.Ne(index), 0) : weight);
        }

        private Tensor Inside(Tensor at) => padding switch
        {
            GridPadding.Zeros => at,
            GridPadding.Border => at.Clamp(0, size - 1),
            _ => Reflect(at).Clamp(0, size - 1),
        };

        // Folded between the borders: the distance from the lower one, modulo twice the width.
        private Tensor Reflect(Tensor at)
        {
            double low = alignCorners ? 0 : -0.5, width = alignCorners ? size - 1 : size;
            if (width == 0)
            {
                return at * 0;
            }
            Tensor distance = (at - low).Abs(), rest = distance.Fmod(distance.Number(width));
            Tensor flips = (distance.Detach() / width).Floor(), odd = flips.Fmod(flips.Number(2)).Eq(1);
            return Tensor.Where(odd, width - rest, rest) + low;
        }

        // The cubic of Keys at distances up to 1, and from 1 to 2.
        private static Tensor Inner(Tensor d) => ((A + 2) * d - (A + 3)) * d * d + 1;

        private static Tensor Outer(Tensor d) => ((A * d - 5 * A) * d + 8 * A) * d - 4 * A;
    }
}
