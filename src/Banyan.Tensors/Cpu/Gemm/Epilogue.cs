namespace Banyan.Cpu;

/// <summary>What follows the chains: + bias, activation, + residual, in this order.</summary>
internal static unsafe class Epilogue
{
    public static bool IsNeeded<TActivation>(in GemmArgs g) where TActivation : struct, IUnary =>
        g.Bias != null || g.Residual != null || typeof(TActivation) != typeof(Identity);

    /// <summary>Finishes C[row .. row + rows, col .. col + cols) from its chains, which may lie in C.</summary>
    public static void Apply<S, V, TActivation>(in GemmArgs g, float* chains, long chainsRow, long row, long rows, long col, long cols)
        where S : struct, ISimd<V> where V : struct where TActivation : struct, IUnary
    {
        float* bias = g.Bias == null ? null : g.Bias + col;
        for (long m = row; m < row + rows; m++, chains += chainsRow)
        {
            float* residual = g.Residual == null ? null : g.Residual + m * g.ResidualRow + col;
            Row<S, V, TActivation>(chains, g.C + m * g.CRow + col, bias, residual, cols);
        }
    }

    private static void Row<S, V, TActivation>(float* chains, float* c, float* bias, float* residual, long cols)
        where S : struct, ISimd<V> where V : struct where TActivation : struct, IUnary
    {
        long n = 0;
        for (; n + S.Width <= cols; n += S.Width)
        {
            Element<S, V, TActivation>(chains, c, bias, residual, n);
        }
        for (; n < cols; n++)
        {
            Element<SimdScalar, float, TActivation>(chains, c, bias, residual, n);
        }
    }

    private static void Element<S, V, TActivation>(float* chains, float* c, float* bias, float* residual, long n)
        where S : struct, ISimd<V> where V : struct where TActivation : struct, IUnary
    {
        V x = S.Load(chains + n);
        if (bias != null)
        {
            x = S.Add(x, S.Load(bias + n));
        }
        x = TActivation.Apply<S, V>(x);
        if (residual != null)
        {
            x = S.Add(x, S.Load(residual + n));
        }
        S.Store(c + n, x);
    }
}
