using Banyan.Cpu.Emit;

namespace Banyan.Cpu;

/// <summary>
/// y = x W^T + b with W in blocks. Rows of x are quantized to 8 bits in groups of 32 and multiplied as whole numbers; each element of y is a function of its row, its column and K, so
/// that prompts, single tokens and batches give the same bits. Formats without whole-number codes, and scopes with <see cref="Scope.ExactBlockProducts"/>, multiply float32.
/// </summary>
internal static unsafe class BlockProduct
{
    // Groups of k whose weights stay in the first cache while the rows pass by.
    private const int BlockGroups = 16;

    /// <summary>y (M, N) = x (M, K) w^T, w (N, K) in blocks, plus bias (N).</summary>
    public static void Run(Tensor x, Tensor w, Tensor y, Tensor? bias)
    {
        if (y.Device.IsMeta || y.Count == 0)
        {
            return;
        }
        x = x.IsContiguous ? x : x.Detach().Contiguous();
        bool exact = Tensor.ScopeOf(x, w, y) is { ExactBlockProducts: true };
        if (!exact && PanelsOf(w, y.Pool) is { } panels)
        {
            Whole(x, panels, y, bias);
        }
        else
        {
            AsFloats(x, w, y, bias);
        }
        GC.KeepAlive(x);
        GC.KeepAlive(w);
        GC.KeepAlive(bias);
    }

    private static BlockPanels? PanelsOf(Tensor w, ComputePool pool) =>
        w.DType.Format is { Panels: not null } format ? w.Body.Storage!.Panels(format, w.Body.Offset, w.Shape[0], w.Shape[1], pool) : null;

    private static void Whole(Tensor x, BlockPanels w, Tensor y, Tensor? bias)
    {
        long rows = x.Shape[0], groups = w.K / 32;
        ComputePool pool = y.Pool;
        NativeBuffer quantized = pool.Workspace.Rent(rows * groups * sizeof(ActivationBlock));
        try
        {
            UnpackedGroup layout = w.Layout;
            ActivationBlock.Quantize(Pointer(x), rows, w.K, Int8Tile.MaxRows, layout.Group, layout.HasOffsets ? 0 : w.Zero, (ActivationBlock*)quantized.Floats, pool);
            var body = new PairBody { A = (ActivationBlock*)quantized.Floats, W = w, Y = Pointer(y), Bias = bias is null ? null : Pointer(bias), Rows = rows, Workspace = pool.Workspace };
            // Pieces of some 10 microseconds at least; of a single row some for each thread, which read memory in long runs.
            long pairs = w.Panels / BlockPanels.Pair, run = rows == 1 ? pairs / (8 * pool.Threads) : 1;
            pool.For(pairs, Math.Max(Math.Max(1, run), 300_000 / (32 * w.K * (rows + 8))), body);
        }
        finally
        {
            pool.Workspace.Return(quantized);
        }
    }

    private static float* Pointer(Tensor t) => (float*)t.Body.Storage!.Pointer + t.Body.Offset;

    private struct PairBody : IParallelBody
    {
        public ActivationBlock* A;
        public BlockPanels W;
        public float* Y, Bias;
        public long Rows;
        public Workspace Workspace;

        public readonly void Run(long begin, long end)
        {
            UnpackedGroup layout = W.Layout;
            long groups = W.K / 32;
            if (Rows == 1)
            {
                OneRow(begin, end);
                return;
            }
            NativeBuffer scratch = Workspace.Rent(BlockGroups * layout.Bytes);
            for (long pair = begin; pair < end; pair++)
            {
                for (long g = 0; g < groups; g += BlockGroups)
                {
                    long count = Math.Min(BlockGroups, groups - g);
                    W.Unpack(pair, g, count, (byte*)scratch.Floats);
                    Tiles(pair, g, count, (byte*)scratch.Floats, layout);
                }
                AddBias(32 * pair);
            }
            Workspace.Return(scratch);
        }

        // A single row reads the panels straight.
        private readonly void OneRow(long begin, long end)
        {
            float* edge = stackalloc float[32];
            for (long pair = begin; pair < end; pair++)
            {
                int columns = (int)Math.Min(32, W.N - 32 * pair);
                W.Row(pair, A, columns == 32 ? Y + 32 * pair : edge);
                if (columns < 32)
                {
                    Copy(edge, 32, Y + 32 * pair, W.N, 1, columns);
                }
                AddBias(32 * pair);
            }
        }

        private readonly void Tiles(long pair, long g, long count, byte* weights, UnpackedGroup layout)
        {
            float* edge = stackalloc float[Int8Tile.MaxRows * 32];
            long groups = W.K / 32, column = 32 * pair;
            int columns = (int)Math.Min(32, W.N - column);
            for (long row = 0; row < Rows; row += Int8Tile.MaxRows)
            {
                int height = (int)Math.Min(Int8Tile.MaxRows, Rows - row);
                float* y = Y + row * W.N + column, to = columns == 32 ? y : edge;
                long stride = columns == 32 ? W.N : 32;
                var args = new Int8TileArgs
                {
                    Groups = count, A = A + row * groups + g * height, B = weights,
                    From = g == 0 ? null : to, FromRow = stride * sizeof(float), To = to, ToRow = stride * sizeof(float),
                };
                if (columns < 32 && g > 0)
                {
                    Copy(y, W.N, edge, 32, height, columns);
                }
                if (Int8Tile.IsAvailable)
                {
                    Int8Tile.Run(height, layout, &args);
                }
                else
                {
                    Int8Reference.Run(height, layout, &args);
                }
                if (columns < 32)
                {
                    Copy(edge, 32, y, W.N, height, columns);
                }
            }
        }

        private static void Copy(float* from, long fromRow, float* to, long toRow, int rows, int columns)
        {
            for (int r = 0; r < rows; r++)
            {
                new Span<float>(from + r * fromRow, columns).CopyTo(new Span<float>(to + r * toRow, columns));
            }
        }

        private readonly void AddBias(long column)
        {
            long columns = Math.Min(32, W.N - column);
            for (long r = 0; Bias != null && r < Rows; r++)
            {
                float* y = Y + r * W.N + column;
                for (long j = 0; j < columns; j++)
                {
                    y[j] += Bias[column + j];
                }
            }
        }
    }

    // A part of the weights at a time as float32. Elements of the product do not depend on how the columns are cut.
    private static void AsFloats(Tensor x, Tensor w, Tensor y, Tensor? bias)
    {
        long k = w.Shape[1], n = w.Shape[0], part = Math.Min(n, Math.Max(16, (1 << 22) / k));
        ComputePool pool = y.Pool;
        NativeBuffer floats = pool.Workspace.Rent(part * k * sizeof(float));
        try
        {
            byte* blocks = w.Body.Storage!.Pointer + w.DType.ByteCount(w.Body.Offset);
            for (long row = 0; row < n; row += part)
            {
                long rows = Math.Min(part, n - row);
                BlockRows.Dequantize(w.DType.Format!, blocks + w.DType.ByteCount(row * k), k, rows, floats.Floats, pool);
                GemmArgs g = GemmArgs.RowMajorTransposedB(x.Shape[0], rows, k, Pointer(x), floats.Floats, Pointer(y) + row);
                g.CRow = n;
                g.Bias = bias is null ? null : Pointer(bias) + row;
                Gemm.Run(g, pool);
            }
        }
        finally
        {
            pool.Workspace.Return(floats);
        }
    }
}
