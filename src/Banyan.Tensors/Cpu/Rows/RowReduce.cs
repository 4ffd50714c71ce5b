using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// Reductions of one contiguous row in one fixed order, whatever the vector width: element i goes to running sum i mod 16, and the 16 sums
/// are then added pairwise (8 and 8, 4 and 4, ...). Elements past the last full block of 16 join their sums one by one.
/// </summary>
internal static unsafe class RowReduce
{
    private const int Lanes = 16;

    /// <summary>What is summed for element i: x[i], x[i] * y[i] (a dot product) or (x[i] - shift)^2.</summary>
    internal interface ITerm
    {
        static abstract V Next<S, V>(V sum, V x, V y) where S : struct, ISimd<V> where V : struct;
    }

    private readonly struct Plain : ITerm
    {
        public static V Next<S, V>(V sum, V x, V y) where S : struct, ISimd<V> where V : struct => S.Add(sum, x);
    }

    private readonly struct Product : ITerm
    {
        public static V Next<S, V>(V sum, V x, V y) where S : struct, ISimd<V> where V : struct => S.Fma(x, y, sum);
    }

    /// <summary>Sum of x[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum<S, V>(float* x, long n) where S : struct, ISimd<V> where V : struct => Fold<S, V, Plain>(x, x, n);

    /// <summary>Sum of x[i] * y[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Dot<S, V>(float* x, float* y, long n) where S : struct, ISimd<V> where V : struct => Fold<S, V, Product>(x, y, n);

    private static float Fold<S, V, T>(float* x, float* y, long n) where S : struct, ISimd<V> where V : struct where T : struct, ITerm
    {
        float* lanes = stackalloc float[Lanes];
        long full = n / Lanes * Lanes, i = 0;
        if (S.Width == 1)
        {
            new Span<float>(lanes, Lanes).Clear();
            for (; i < full; i++)
            {
                lanes[i % Lanes] = T.Next<SimdScalar, float>(lanes[i % Lanes], x[i], y[i]);
            }
        }
        else
        {
            V a = S.Zero, b = S.Zero, c = S.Zero, d = S.Zero;
            for (; i < full; i += Lanes)
            {
                a = T.Next<S, V>(a, S.Load(x + i), S.Load(y + i));
                if (S.Width <= 8)
                {
                    b = T.Next<S, V>(b, S.Load(x + i + S.Width), S.Load(y + i + S.Width));
                }
                if (S.Width <= 4)
                {
                    c = T.Next<S, V>(c, S.Load(x + i + 2 * S.Width), S.Load(y + i + 2 * S.Width));
                    d = T.Next<S, V>(d, S.Load(x + i + 3 * S.Width), S.Load(y + i + 3 * S.Width));
                }
            }
            S.Store(lanes, a);
            if (S.Width <= 8)
            {
                S.Store(lanes + S.Width, b);
            }
            if (S.Width <= 4)
            {
                S.Store(lanes + 2 * S.Width, c);
                S.Store(lanes + 3 * S.Width, d);
            }
        }
        for (; i < n; i++)
        {
            lanes[i % Lanes] = T.Next<SimdScalar, float>(lanes[i % Lanes], x[i], y[i]);
        }
        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            for (int j = 0; j < half; j++)
            {
                lanes[j] += lanes[j + half];
            }
        }
        return lanes[0];
    }

    /// <summary>The largest element; -inf for an empty row. NaN wins.</summary>
    public static float Max<S, V>(float* x, long n) where S : struct, ISimd<V> where V : struct
    {
        float best = float.NegativeInfinity;
        long i = 0;
        if (n >= S.Width)
        {
            V most = S.Load(x);
            for (i = S.Width; i <= n - S.Width; i += S.Width)
            {
                most = S.Max(most, S.Load(x + i));
            }
            float* lanes = stackalloc float[Lanes];
            S.Store(lanes, most);
            for (int j = 0; j < S.Width; j++)
            {
                best = MathF.Max(best, lanes[j]);
            }
        }
        for (; i < n; i++)
        {
            best = MathF.Max(best, x[i]);
        }
        return best;
    }
}
