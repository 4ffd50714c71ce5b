namespace Banyan.Cpu;

/// <summary>The matrix product as its definition reads: the oracle that every fast path must equal to the bit.</summary>
internal static unsafe class GemmReference
{
    public static void Run(in GemmArgs g) => Run<Identity>(g);

    public static void Run<TActivation>(in GemmArgs g) where TActivation : struct, IUnary
    {
        for (long m = 0; m < g.M; m++)
        {
            for (long n = 0; n < g.N; n++)
            {
                float acc = g.Accumulate ? g.C[m * g.CRow + n] : 0f;
                for (long k = 0; k < g.K; k++)
                {
                    acc = MathF.FusedMultiplyAdd(g.A[m * g.ARow + k * g.ACol], g.B[k * g.BRow + n * g.BCol], acc);
                }
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
