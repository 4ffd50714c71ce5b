namespace Banyan.Cpu;

/// <summary>Combines rows of N elements (Step apart) in the order of <see cref="ReduceLoop{R}"/>.</summary>
internal unsafe struct RowFold<R> : IKernel where R : struct, IReduction
{
    public const int Lanes = 16;

    public float* X, Y;
    public long N, Step, Count, XStride, YStride;

    public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
    {
        float* lanes = stackalloc float[Lanes];
        for (long i = 0; i < Count; i++)
        {
            Y[i * YStride] = Step == 1 ? One<S, V>(X + i * XStride, N, lanes) : Strided(X + i * XStride, N, Step, lanes);
        }
    }

    private static float Strided(float* x, long n, long step, float* lanes)
    {
        new Span<float>(lanes, Lanes).Fill((float)R.Start);
        for (long k = 0; k < n; k++)
        {
            lanes[k % Lanes] = R.Combine<SimdScalar, float>(lanes[k % Lanes], x[k * step]);
        }
        return Pairwise(lanes);
    }

    /// <summary>One contiguous row; <paramref name="lanes"/> is room for 16 values.</summary>
    public static float One<S, V>(float* x, long n, float* lanes) where S : struct, ISimd<V> where V : struct
    {
        if (S.Width == 1)
        {
            return Strided(x, n, 1, lanes);
        }
        // Four registers at most hold the 16 lanes: 1 of 16, 2 of 8, 4 of 4.
        V a = S.Splat((float)R.Start), b = a, c = a, d = a;
        long full = n / Lanes * Lanes, i = 0;
        for (; i < full; i += Lanes)
        {
            a = R.Combine<S, V>(a, S.Load(x + i));
            if (S.Width <= 8)
            {
                b = R.Combine<S, V>(b, S.Load(x + i + S.Width));
            }
            if (S.Width <= 4)
            {
                c = R.Combine<S, V>(c, S.Load(x + i + 2 * S.Width));
                d = R.Combine<S, V>(d, S.Load(x + i + 3 * S.Width));
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
        for (; i < n; i++)
        {
            lanes[i % Lanes] = R.Combine<SimdScalar, float>(lanes[i % Lanes], x[i]);
        }
        return Pairwise(lanes);
    }

    // Combines the 16 values.
    private static float Pairwise(float* lanes)
    {
        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            for (int j = 0; j < half; j++)
            {
                lanes[j] = R.Combine<SimdScalar, float>(lanes[j], lanes[j + half]);
            }
        }
        return lanes[0];
    }
}

/// <summary>Combines Count neighbouring columns of N elements (Step apart): the same order for each column, many columns at a time.</summary>
internal unsafe struct ColumnFold<R> : IKernel where R : struct, IReduction
{
    /// <summary>Columns of one pass: 512 bytes of each row, and running values that stay in the first cache.</summary>
    public const int Columns = 128;

    private const int Lanes = 16;

    public float* X, Y;
    public long N, Step, Count;

    public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
    {
        float* lanes = stackalloc float[Lanes * Columns];
        for (long j = 0; j < Count; j += Columns)
        {
            Pass<S, V>(X + j, Y + j, (int)Math.Min(Columns, Count - j), lanes);
        }
    }

    private readonly void Pass<S, V>(float* x, float* y, int columns, float* lanes) where S : struct, ISimd<V> where V : struct
    {
        new Span<float>(lanes, Lanes * Columns).Fill((float)R.Start);
        for (long k = 0; k < N; k++)
        {
            Combine<S, V>(lanes + k % Lanes * Columns, x + k * Step, columns);
        }
        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            for (int l = 0; l < half; l++)
            {
                Combine<S, V>(lanes + l * Columns, lanes + (l + half) * Columns, columns);
            }
        }
        new Span<float>(lanes, columns).CopyTo(new Span<float>(y, columns));
    }

    private static void Combine<S, V>(float* into, float* x, int n) where S : struct, ISimd<V> where V : struct
    {
        int i = 0;
        for (; i <= n - S.Width; i += S.Width)
        {
            S.Store(into + i, R.Combine<S, V>(S.Load(into + i), S.Load(x + i)));
        }
        for (; i < n; i++)
        {
            into[i] = R.Combine<SimdScalar, float>(into[i], x[i]);
        }
    }
}
