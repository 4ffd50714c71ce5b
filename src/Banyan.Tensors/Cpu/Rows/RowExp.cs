namespace Banyan.Cpu;

/// <summary>The exponentials of one contiguous row.</summary>
internal static unsafe class RowExp
{
    private const int BlockSize = 512;

    /// <summary>The sum of e^(x[i] - max), in blocks of a fixed size, each in <see cref="RowReduce"/>'s order.</summary>
    /// <param name="x">The row.</param>
    /// <param name="max">Subtracted first, so that nothing overflows.</param>
    /// <param name="n">Length of the row.</param>
    /// <param name="exponentials">Receives e^(x[i] - max); may be x itself, or null.</param>
    public static float Sum<S, V>(float* x, float max, long n, float* exponentials) where S : struct, ISimd<V> where V : struct
    {
        float* block = stackalloc float[BlockSize];
        V shift = S.Splat(max);
        float sum = 0;
        for (long from = 0; from < n; from += BlockSize)
        {
            long m = Math.Min(BlockSize, n - from), i = 0;
            float* e = exponentials == null ? block : exponentials + from;
            for (; i <= m - S.Width; i += S.Width)
            {
                S.Store(e + i, VectorMath.Exp<S, V>(S.Sub(S.Load(x + from + i), shift)));
            }
            for (; i < m; i++)
            {
                e[i] = VectorMath.Exp<SimdScalar, float>(x[from + i] - max);
            }
            sum += RowReduce.Sum<S, V>(e, m);
        }
        return sum;
    }
}
