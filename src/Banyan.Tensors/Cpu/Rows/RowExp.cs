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
        float sum = 0;
        for (long from = 0; from < n; from += BlockSize)
        {
            sum += RowReduce.ExpSum<S, V>(x + from, max, Math.Min(BlockSize, n - from), exponentials == null ? null : exponentials + from);
        }
        return sum;
    }
}
