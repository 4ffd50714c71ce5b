namespace Banyan.Cpu;

/// <summary>
/// Adafactor's second moments of a matrix of gradients (or a stack of matrices): running means of g^2 over each row and each column. Every mean
/// is summed by one thread in a fixed order.
/// </summary>
internal static unsafe class FactoredMoments
{
    private const long Columns = 256;       // of one unit of work: 1 KiB of each row
    private const long RowsPerBlock = 64;   // summed apart, so that the rounding error grows with the number of blocks
    private const long Piece = 16 * 1024;

    /// <summary>row += share (mean over columns of (g^2 + addend) - row), and column likewise over rows.</summary>
    /// <param name="gradient">(..., R, C), dense.</param>
    /// <param name="scale">Factor on the gradient.</param>
    /// <param name="addend">Added to every square.</param>
    /// <param name="share">Share of the new mean in the running one.</param>
    /// <param name="row">float32, one number for each row: (..., R).</param>
    /// <param name="column">float32, one number for each column: (..., C).</param>
    public static void Update(Tensor gradient, double scale, double addend, double share, Tensor row, Tensor column)
    {
        if (gradient.Device.IsMeta || gradient.Count == 0)
        {
            return;
        }
        var shape = new Matrices
        {
            G = new FloatSource(gradient), Scale = (float)scale, Addend = (float)addend, Share = (float)share,
            R = gradient.Shape[-2], C = gradient.Shape[-1], Row = F(row), Column = F(column),
        };
        gradient.Pool.For(row.Count, Math.Max(1, Piece / shape.C), new RowMeans { M = shape });
        long blocks = (shape.C + Columns - 1) / Columns;
        gradient.Pool.For(row.Count / shape.R * blocks, Math.Max(1, Piece / (shape.R * Math.Min(shape.C, Columns))), new ColumnMeans { M = shape, Blocks = blocks });
        GC.KeepAlive(gradient);
        GC.KeepAlive(row);
        GC.KeepAlive(column);
    }

    private static float* F(Tensor t) => (float*)t.Body.Storage!.Pointer + t.Body.Offset;

    private struct Matrices
    {
        public FloatSource G;
        public float Scale, Addend, Share;
        public long R, C;
        public float* Row, Column;

        public readonly float Mix(float old, double sum, long n) => MathF.FusedMultiplyAdd(Share, (float)(sum / n) + Addend - old, old);
    }

    private struct RowMeans : IParallelBody
    {
        public Matrices M;

        public void Run(long begin, long end)
        {
            float* widened = stackalloc float[FloatSource.Block];
            float* squares = stackalloc float[FloatSource.Block];
            for (long r = begin; r < end; r++)
            {
                double sum = 0;
                for (long c = 0; c < M.C; c += FloatSource.Block)
                {
                    long n = Math.Min(FloatSource.Block, M.C - c);
                    var sums = new SquareSum { X = M.G.Read(r * M.C + c, r * M.C + c + n, widened), Squares = squares, N = n, Scale = M.Scale };
                    Isa.Run(ref sums);
                    sum += sums.Result;
                }
                M.Row[r] = M.Mix(M.Row[r], sum, M.C);
            }
        }
    }

    private struct SquareSum : IKernel
    {
        public float* X, Squares;
        public long N;
        public float Scale, Result;

        public void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            new Span<float>(Squares, (int)N).Clear();
            Accumulate<S, V>(X, Squares, N, Scale);
            float* lanes = stackalloc float[RowFold<SumReduction>.Lanes];
            Result = RowFold<SumReduction>.One<S, V>(Squares, N, lanes);
        }
    }

    // sum += (x scale)^2, element by element.
    private static void Accumulate<S, V>(float* x, float* sum, long n, float scale) where S : struct, ISimd<V> where V : struct
    {
        long i = 0;
        for (; i <= n - S.Width; i += S.Width)
        {
            V g = S.Mul(S.Load(x + i), S.Splat(scale));
            S.Store(sum + i, S.Fma(g, g, S.Load(sum + i)));
        }
        for (; i < n; i++)
        {
            float g = x[i] * scale;
            sum[i] = MathF.FusedMultiplyAdd(g, g, sum[i]);
        }
    }

    private struct ColumnMeans : IParallelBody, IKernel
    {
        public Matrices M;
        public long Blocks;
        private long _matrix, _column, _n;

        public void Run(long begin, long end)
        {
            for (long unit = begin; unit < end; unit++)
            {
                _matrix = unit / Blocks;
                _column = unit % Blocks * Columns;
                _n = Math.Min(Columns, M.C - _column);
                Isa.Run(ref this);
            }
        }

        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            float* widened = stackalloc float[(int)Columns];
            float* block = stackalloc float[(int)Columns];
            double* total = stackalloc double[(int)Columns];
            new Span<double>(total, (int)Columns).Clear();
            for (long r = 0; r < M.R; r += RowsPerBlock)
            {
                new Span<float>(block, (int)Columns).Clear();
                for (long k = r; k < Math.Min(r + RowsPerBlock, M.R); k++)
                {
                    long at = (_matrix * M.R + k) * M.C + _column;
                    Accumulate<S, V>(M.G.Read(at, at + _n, widened), block, _n, M.Scale);
                }
                for (long c = 0; c < _n; c++)
                {
                    total[c] += block[c];
                }
            }
            float* column = M.Column + _matrix * M.C + _column;
            for (long c = 0; c < _n; c++)
            {
                column[c] = M.Mix(column[c], total[c], M.R);
            }
        }
    }
}
