namespace Banyan.Cpu;

/// <summary>
/// y = x W^T + b with weights of a file, which nothing changes: float32, bfloat16 or half precision, in panels that are made once. To the bit what <see cref="MatMulLoop"/> gives for the
/// widened numbers.
/// </summary>
internal static unsafe class DenseProduct
{
    // Up to so many rows are multiplied one after the other: they read the panels from a cache.
    private const int FewRows = 4;

    /// <summary>Whether weights are multiplied so. Many rows by float32 are not: then packing as it goes costs nothing.</summary>
    private static bool Takes(Tensor w, long rows) => (w.DType == DType.BFloat16 || w.DType == DType.Float16 || (w.DType == DType.Float32 && rows <= FewRows))
        && w is { Rank: 2, IsContiguous: true, RequiresGrad: false, Device.IsMeta: false } && w.Body.Storage!.IsReadOnly;

    /// <summary>y (M, N) = x (M, K) w^T, w (N, K), plus bias (N), dense. False: these are no such weights, or their numbers do not allow it; nothing was done.</summary>
    public static bool TryRun(Tensor x, Tensor w, Tensor y, Tensor? bias)
    {
        if (!Takes(w, x.Shape[0]) || Tensor.ScopeOf(x, w, y) is { Bf16Products: true })
        {
            return false;
        }
        if (y.Count == 0)
        {
            return true;
        }
        if (w.Body.Storage!.Dense(w.DType, w.Body.Offset, w.Shape[0], w.Shape[1], y.Pool) is not { } panels)
        {
            return false;
        }
        x = x.IsContiguous ? x : x.Detach().Contiguous();
        float* b = bias is null ? null : Pointer(bias);
        if (x.Shape[0] <= FewRows)
        {
            long run = Math.Max(1, panels.Pairs / (8 * y.Pool.Threads));
            y.Pool.For(panels.Pairs, Math.Max(run, 100_000 / (32 * panels.K)), new RowsBody { W = panels, X = Pointer(x), Y = Pointer(y), Rows = x.Shape[0], Bias = b });
        }
        else
        {
            Widened(x, panels, y, b);
        }
        GC.KeepAlive(x);
        GC.KeepAlive(w);
        GC.KeepAlive(bias);
        return true;
    }

    // A part of the columns at a time. Elements of the product do not depend on how they are cut.
    private static void Widened(Tensor x, DensePanels w, Tensor y, float* bias)
    {
        long part = Math.Clamp((1 << 17) / w.K, 1, w.Pairs);
        NativeBuffer floats = y.Pool.Workspace.Rent(part * 32 * w.K * sizeof(float));
        try
        {
            for (long pair = 0; pair < w.Pairs; pair += part)
            {
                long count = Math.Min(part, w.Pairs - pair), column = 32 * pair;
                w.Widen(pair, count, floats.Floats, y.Pool);
                Gemm.Run(new GemmArgs
                {
                    M = x.Shape[0], N = Math.Min(32 * count, w.N - column), K = w.K, A = Pointer(x), ARow = w.K, ACol = 1, B = floats.Floats, BIsPacked = true,
                    C = Pointer(y) + column, CRow = w.N, Bias = bias == null ? null : bias + column,
                }, y.Pool);
            }
        }
        finally
        {
            y.Pool.Workspace.Return(floats);
        }
    }

    private static float* Pointer(Tensor t) => (float*)t.Body.Storage!.Pointer + t.Body.Offset;

    private struct RowsBody : IParallelBody
    {
        public DensePanels W;
        public float* X, Y, Bias;
        public long Rows;

        public readonly void Run(long begin, long end)
        {
            float* sums = stackalloc float[32];
            for (long pair = begin; pair < end; pair++)
            {
                long column = 32 * pair, columns = Math.Min(32, W.N - column);
                for (long row = 0; row < Rows; row++)
                {
                    W.Row(pair, X + row * W.K, sums);
                    float* y = Y + row * W.N + column;
                    for (long j = 0; j < columns; j++)
                    {
                        y[j] = Bias == null ? sums[j] : sums[j] + Bias[column + j];
                    }
                }
            }
        }
    }
}
