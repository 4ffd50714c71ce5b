namespace Banyan.Cpu;

/// <summary>Rows of a table by index, and the gradient: each table row is summed by one thread, over the tokens in increasing order.</summary>
internal static unsafe class EmbeddingKernel
{
    public static void Gather(float* table, long* ids, float* y, long tokens, long n, ComputePool pool) =>
        RowKernel.Run(new GatherRows { Table = table, Ids = ids, Y = y, N = n }, tokens, n, pool);

    /// <summary>table[ids[i]] += dy[i] in increasing i. Threads share the columns, so each sum has one order.</summary>
    public static void ScatterAdd(float* table, long* ids, float* dy, long tokens, long n, ComputePool pool)
    {
        long piece = Math.Max(64, (n / pool.Threads + 63) / 64 * 64);
        pool.For((n + piece - 1) / piece, 1, new ScatterColumns { Table = table, Ids = ids, DY = dy, N = n, Tokens = tokens, Piece = piece });
    }

    private struct GatherRows : IRowKernel
    {
        public float* Table, Y;
        public long* Ids;
        public long N;

        public void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct
        {
            for (long i = begin; i < end; i++)
            {
                Buffer.MemoryCopy(Table + Ids[i] * N, Y + i * N, N * sizeof(float), N * sizeof(float));
            }
        }
    }

    private struct ScatterColumns : IParallelBody, IKernel
    {
        public float* Table, DY;
        public long* Ids;
        public long N, Tokens, Piece;
        private long _begin, _end;

        public void Run(long begin, long end)
        {
            (_begin, _end) = (begin * Piece, Math.Min(end * Piece, N));
            Isa.Run(ref this);
        }

        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            for (long i = 0; i < Tokens; i++)
            {
                float* row = Table + Ids[i] * N, dy = DY + i * N;
                long j = _begin, end = _end;
                for (; j <= end - S.Width; j += S.Width)
                {
                    S.Store(row + j, S.Add(S.Load(row + j), S.Load(dy + j)));
                }
                for (; j < end; j++)
                {
                    row[j] += dy[j];
                }
            }
        }
    }
}
