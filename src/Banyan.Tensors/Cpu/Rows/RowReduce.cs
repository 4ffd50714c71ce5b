using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// Reductions of one contiguous row in one fixed order, whatever the vector width: element i goes to running sum i mod 16, and the 16 sums
/// are then added pairwise (8 and 8, 4 and 4, ...). Elements past the last full block of 16 join their sums one by one.
/// </summary>
internal static unsafe class RowReduce
{
    private const int Lanes = 16;

    /// <summary>What element i adds to its running sum.</summary>
    private interface ITerm
    {
        V Next<S, V>(V sum, float* x, long i) where S : struct, ISimd<V> where V : struct;
    }

    private readonly struct Plain : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Next<S, V>(V sum, float* x, long i) where S : struct, ISimd<V> where V : struct => S.Add(sum, S.Load(x + i));
    }

    private readonly struct Product(float* y) : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Next<S, V>(V sum, float* x, long i) where S : struct, ISimd<V> where V : struct => S.Fma(S.Load(x + i), S.Load(y + i), sum);
    }

    private readonly struct Weighted(float* w, float offset) : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Next<S, V>(V sum, float* x, long i) where S : struct, ISimd<V> where V : struct => S.Add(sum, Weigh<S, V>(S.Load(x + i), w, offset, i));
    }

    private readonly struct WeightedProduct(float* w, float offset, float* y, float shift) : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Next<S, V>(V sum, float* x, long i) where S : struct, ISimd<V> where V : struct =>
            S.Fma(Weigh<S, V>(S.Load(x + i), w, offset, i), S.Sub(S.Load(y + i), S.Splat(shift)), sum);
    }

    /// <summary>x * (w[i] + offset); x where w is null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Weigh<S, V>(V x, float* w, float offset, long i) where S : struct, ISimd<V> where V : struct =>
        w == null ? x : S.Mul(x, S.Add(S.Load(w + i), S.Splat(offset)));

    private readonly struct SquaredDistance(float shift) : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Next<S, V>(V sum, float* x, long i) where S : struct, ISimd<V> where V : struct
        {
            V d = S.Sub(S.Load(x + i), S.Splat(shift));
            return S.Fma(d, d, sum);
        }
    }

    private readonly struct Exponential(float shift, float* exponentials) : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Next<S, V>(V sum, float* x, long i) where S : struct, ISimd<V> where V : struct
        {
            V e = VectorMath.ExpNonPositive<S, V>(S.Sub(S.Load(x + i), S.Splat(shift)));
            if (exponentials != null)
            {
                S.Store(exponentials + i, e);
            }
            return S.Add(sum, e);
        }
    }

    /// <summary>Sum of e^(x[i] - shift), where nothing is larger than the shift.</summary>
    /// <param name="x">The row.</param>
    /// <param name="shift">Its largest element.</param>
    /// <param name="n">Length of the row.</param>
    /// <param name="exponentials">Receives the terms; may be x itself, or null.</param>
    public static float ExpSum<S, V>(float* x, float shift, long n, float* exponentials) where S : struct, ISimd<V> where V : struct =>
        Fold<S, V, Exponential>(new(shift, exponentials), x, n);

    /// <summary>Sum of x[i].</summary>
    public static float Sum<S, V>(float* x, long n) where S : struct, ISimd<V> where V : struct => Fold<S, V, Plain>(default, x, n);

    /// <summary>Sum of x[i] * y[i].</summary>
    public static float Dot<S, V>(float* x, float* y, long n) where S : struct, ISimd<V> where V : struct => Fold<S, V, Product>(new(y), x, n);

    /// <summary>Sum of x[i] * (w[i] + offset), see <see cref="Weigh"/>.</summary>
    public static float Sum<S, V>(float* x, float* w, float offset, long n) where S : struct, ISimd<V> where V : struct =>
        Fold<S, V, Weighted>(new(w, offset), x, n);

    /// <summary>Sum of x[i] * (w[i] + offset) * (y[i] - shift).</summary>
    public static float Dot<S, V>(float* x, float* w, float offset, float* y, float shift, long n) where S : struct, ISimd<V> where V : struct =>
        Fold<S, V, WeightedProduct>(new(w, offset, y, shift), x, n);

    /// <summary>Sum of (x[i] - shift)^2.</summary>
    public static float Distance<S, V>(float* x, float shift, long n) where S : struct, ISimd<V> where V : struct =>
        Fold<S, V, SquaredDistance>(new(shift), x, n);

    private static float Fold<S, V, T>(T term, float* x, long n) where S : struct, ISimd<V> where V : struct where T : struct, ITerm
    {
        float* lanes = stackalloc float[Lanes];
        long full = n / Lanes * Lanes, i = 0;
        if (S.Width == 1)
        {
            new Span<float>(lanes, Lanes).Clear();
            for (; i < full; i++)
            {
                lanes[i % Lanes] = term.Next<SimdScalar, float>(lanes[i % Lanes], x, i);
            }
        }
        else
        {
            V a = S.Zero, b = S.Zero, c = S.Zero, d = S.Zero;
            for (; i < full; i += Lanes)
            {
                a = term.Next<S, V>(a, x, i);
                if (S.Width <= 8)
                {
                    b = term.Next<S, V>(b, x, i + S.Width);
                }
                if (S.Width <= 4)
                {
                    c = term.Next<S, V>(c, x, i + 2 * S.Width);
                    d = term.Next<S, V>(d, x, i + 3 * S.Width);
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
            lanes[i % Lanes] = term.Next<SimdScalar, float>(lanes[i % Lanes], x, i);
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
        if (n >= 4 * S.Width)
        {
            V a = S.Load(x), b = S.Load(x + S.Width), c = S.Load(x + 2 * S.Width), d = S.Load(x + 3 * S.Width);
            for (i = 4 * S.Width; i <= n - 4 * S.Width; i += 4 * S.Width)
            {
                a = S.Max(a, S.Load(x + i));
                b = S.Max(b, S.Load(x + i + S.Width));
                c = S.Max(c, S.Load(x + i + 2 * S.Width));
                d = S.Max(d, S.Load(x + i + 3 * S.Width));
            }
            float* lanes = stackalloc float[Lanes];
            S.Store(lanes, S.Max(S.Max(a, b), S.Max(c, d)));
            for (int half = S.Width / 2; half > 0; half /= 2)
            {
                for (int j = 0; j < half; j++)
                {
                    lanes[j] = MathF.Max(lanes[j], lanes[j + half]);
                }
            }
            best = lanes[0];
        }
        for (; i < n; i++)
        {
            best = MathF.Max(best, x[i]);
        }
        return best;
    }
}
