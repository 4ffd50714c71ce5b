namespace Banyan.Ops
{
    /// <summary>
    /// The largest element of [floor(i S / S'), ceil((i + 1) S / S')) for each output i, one dimension after another; the gradient goes to the first of
    /// equal ones in row-major order.
    /// </summary>
    public static class AdaptiveMaxPool
    {
        /// <summary>x (..., *S) to (..., *outputSize).</summary>
        /// <exception cref="ArgumentException">There are fewer dimensions, or a size is 0.</exception>
        public static Tensor Apply(Tensor x, in Shape outputSize)
        {
            if (outputSize.Rank > x.Rank || outputSize.Count == 0 || x.Count == 0)
            {
                throw new ArgumentException($"adaptive_max_pool: {x.Shape} cannot be pooled to {outputSize}");
            }
            for (int i = outputSize.Rank - 1; i >= 0; i--)
            {
                int d = x.Rank - outputSize.Rank + i;
                long[] windows = Windows(x.Shape[d], outputSize[i]);
                Tensor index = Tensor.Allocate(x, [windows.Length], DType.Int64);
                index.CopyFrom<long>(windows);
                x = x.IndexSelect(d, index).Unflatten(d, [outputSize[i], windows.Length / outputSize[i]]).Max(d + 1).Values;
            }
            return x;
        }

        // The members of each window, one after another; a shorter one repeats its first, which changes no maximum.
        private static long[] Windows(long from, long to)
        {
            long Begin(long i) => i * from / to;
            long End(long i) => (((i + 1) * from) + to - 1) / to;
            long width = 0;
            for (long i = 0; i < to; i++)
            {
                width = Math.Max(width, End(i) - Begin(i));
            }
            var members = new long[checked(to * width)];
            for (long at = 0; at < members.Length; at++)
            {
                long begin = Begin(at / width), member = begin + (at % width);
                members[at] = member < End(at / width) ? member : begin;
            }
            return members;
        }
    }
}

namespace Banyan
{
    public sealed partial class Tensor
    {
        /// <summary>The maxima of the windows that split the last dimensions into <paramref name="outputSize"/> parts.</summary>
        /// <exception cref="ArgumentException">There are fewer dimensions, or a size is 0.</exception>
        public Tensor AdaptiveMaxPool(in Shape outputSize) => Ops.AdaptiveMaxPool.Apply(this, outputSize);
    }
}
