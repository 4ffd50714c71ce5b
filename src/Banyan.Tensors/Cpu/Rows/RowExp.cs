namespace Banyan.Cpu;

/// <summary>The exponentials of a row and their sum: the heart of softmax and cross-entropy.</summary>
internal static unsafe class RowExp
{
    private const int BlockSize = 512;

    /// <summary>
    /// The sum of e^(x[i] - max), in blocks of a fixed size, each in <see cref="RowReduce"/>'s order. The exponentials go to
    /// <paramref name="to"/>, which may be x; null: nowhere.
    /// </summary>
    public static float Sum<S, V>(float* x, float max, long n, float* to) where S : struct, ISimd<V> where V : struct
    {
        float* scratch = stackalloc float[BlockSize];
        float sum = 0;
        for (long from = 0; from < n; from += BlockSize)
        {
            long count = Math.Min(BlockSize, n - from);
            float* e = to == null ? scratch : to + from;
            Exponentials<S, V>(x + from, max, count, e);
            sum += RowReduce.Sum<S, V>(e, count);
        }
        return sum;
    }

    private static void Exponentials<S, V>(float* x, float max, long n, float* to) where S : struct, ISimd<V> where V : struct
    {
        V m = S.Splat(max);
        long i = 0;
        for (; i <= n - S.Width; i += S.Width)
        {
            S.Store(to + i, VectorMath.ExpNonPositive<S, V>(S.Sub(S.Load(x + i), m)));
        }
        for (; i < n; i++)
        {
            to[i] = VectorMath.ExpNonPositive<SimdScalar, float>(x[i] - max);
        }
    }
}
