namespace Banyan.Cpu;

/// <summary>
/// Sums over rows for every column: y[j] = the sum over i of a[i, j], or of a[i, j] * (b[i, j] - shift[i]) * scale[i], in increasing i.
/// Each column belongs to one thread, so the order never changes.
/// </summary>
internal static unsafe class ColumnSums
{
    private const long Columns = 64;   // the fewest that a thread takes: 256 bytes of each row

    /// <summary>y = sum of a's rows.</summary>
    public static void Plain(float* a, long rows, long n, float* y, ComputePool pool) => Run(new Body { A = a, N = n, RowCount = rows, Y = y }, pool);

    /// <summary>y = sum over rows of a * (b - shift) * scale (shift may be null: 0).</summary>
    public static void Normalized(float* a, float* b, float* shift, float* scale, long rows, long n, float* y, ComputePool pool) =>
        Run(new Body { A = a, B = b, Shift = shift, Scale = scale, N = n, RowCount = rows, Y = y }, pool);

    private static void Run(Body body, ComputePool pool)
    {
        // Long stretches of a row: memory comes in sequence.
        body.Piece = (body.N / pool.Threads + Columns - 1) / Columns * Columns;
        body.Piece = Math.Max(body.Piece, Columns);
        pool.For((body.N + body.Piece - 1) / body.Piece, 1, body);
    }

    private struct Body : IParallelBody, IKernel
    {
        public float* A, B, Shift, Scale, Y;
        public long N, RowCount, Piece;
        private long _begin, _end;

        public void Run(long begin, long end)
        {
            (_begin, _end) = (begin * Piece, Math.Min(end * Piece, N));
            Isa.Run(ref this);
        }

        // The sums stay in the first cache while the rows pass by, four at a time.
        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            new Span<float>(Y + _begin, (int)(_end - _begin)).Clear();
            long i = 0;
            for (; i + 4 <= RowCount; i += 4)
            {
                RowsOf<S, V>(i, 4);
            }
            for (; i < RowCount; i++)
            {
                RowsOf<S, V>(i, 1);
            }
        }

        private readonly void RowsOf<S, V>(long row, int count) where S : struct, ISimd<V> where V : struct
        {
            float* y = Y;
            long j = _begin, end = _end;
            for (; j <= end - S.Width; j += S.Width)
            {
                S.Store(y + j, Add<S, V>(S.Load(y + j), row, j, count));
            }
            for (; j < end; j++)
            {
                y[j] = Add<SimdScalar, float>(y[j], row, j, count);
            }
        }

        private readonly V Add<S, V>(V sum, long row, long j, int count) where S : struct, ISimd<V> where V : struct
        {
            float* a = A + row * N + j, b = B + row * N + j;
            if (B == null)
            {
                sum = S.Add(sum, S.Load(a));
                return count == 1 ? sum : S.Add(S.Add(S.Add(sum, S.Load(a + N)), S.Load(a + 2 * N)), S.Load(a + 3 * N));
            }
            for (long i = row; i < row + count; i++, a += N, b += N)
            {
                V z = Shift == null ? S.Load(b) : S.Sub(S.Load(b), S.Splat(Shift[i]));
                sum = S.Fma(S.Load(a), S.Mul(z, S.Splat(Scale[i])), sum);
            }
            return sum;
        }
    }
}
