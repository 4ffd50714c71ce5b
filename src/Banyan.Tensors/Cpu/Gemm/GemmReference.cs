namespace Banyan.Cpu;

/// <summary>The matrix product as its definition reads: the oracle that every fast path must equal to the bit.</summary>
internal static unsafe class GemmReference
{
    public static void Run(in GemmArgs g) => Run<Identity>(g);

    private static float Chain(in GemmArgs g, long m, long n, float acc)
    {
        for (long k = 0; k < g.K; k++)
        {
            acc = MathF.FusedMultiplyAdd(g.A[m * g.ARow + k * g.ACol], g.B[k * g.BRow + n * g.BCol], acc);
        }
        return acc;
    }

    private static float Pairs(in GemmArgs g, long m, long n, float acc)
    {
        for (long k = 0; k < g.K; k += 2)
        {
            foreach (long i in (ReadOnlySpan<long>)[k + 1, k])
            {
                // A product with the zero behind an odd K changes nothing but the sign of a zero.
                float a = i < g.K ? (BFloat16)g.A[m * g.ARow + i * g.ACol] : 0, b = i < g.K ? (BFloat16)g.B[i * g.BRow + n * g.BCol] : 0;
                acc = MathF.FusedMultiplyAdd(a, b, acc);
            }
        }
        return acc;
    }

    public static void Run<TActivation>(in GemmArgs g) where TActivation : struct, IUnary
    {
        for (long m = 0; m < g.M; m++)
        {
            for (long n = 0; n < g.N; n++)
            {
                float acc = g.Accumulate ? g.C[m * g.CRow + n] : 0f;
                acc = g.InBf16 ? Pairs(g, m, n, acc) : Chain(g, m, n, acc);
                if (g.Bias != null)
                {
                    acc += g.Bias[n];
                }
                acc = TActivation.Apply<SimdScalar, float>(acc);
                if (g.Residual != null)
                {
                    acc += g.Residual[m * g.ResidualRow + n];
                }
                g.C[m * g.CRow + n] = acc;
            }
        }
    }
}
