namespace Banyan.Cpu;

/// <summary>
/// Sums over rows for every column: y[j] (+)= the sum over i of a[i, j], or of a[i, j] * (b[i, j] - shift[i]) * scale[i], in increasing i.
/// Each column belongs to one thread, so the order never changes.
/// </summary>
internal static unsafe class ColumnSums
{
    private const long Columns = 64;   // a piece: 256 bytes of each row

    /// <summary>y = sum of a's rows.</summary>
    public static void Plain(float* a, long rows, long n, float* y, ComputePool pool) =>
        pool.For((n + Columns - 1) / Columns, 1, new Body { A = a, N = n, RowCount = rows, Y = y });

    /// <summary>y = sum over rows of a * (b - shift) * scale (shift may be null: 0).</summary>
    public static void Normalized(float* a, float* b, float* shift, float* scale, long rows, long n, float* y, ComputePool pool) =>
        pool.For((n + Columns - 1) / Columns, 1, new Body { A = a, B = b, Shift = shift, Scale = scale, N = n, RowCount = rows, Y = y });

    private struct Body : IParallelBody, IKernel
    {
        public float* A, B, Shift, Scale, Y;
        public long N, RowCount;
        private long _begin, _end;

        public void Run(long begin, long end)
        {
            Body copy = this;
            (copy._begin, copy._end) = (begin * Columns, Math.Min(end * Columns, N));
            Isa.Run(ref copy);
        }

        public void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            long j = _begin;
            for (; j <= _end - S.Width; j += S.Width)
            {
                S.Store(Y + j, Column<S, V>(j));
            }
            for (; j < _end; j++)
            {
                Y[j] = Column<SimdScalar, float>(j);
            }
        }

        private readonly V Column<S, V>(long j) where S : struct, ISimd<V> where V : struct
        {
            V sum = S.Zero;
            for (long i = 0; i < RowCount; i++)
            {
                V a = S.Load(A + i * N + j);
                if (B == null)
                {
                    sum = S.Add(sum, a);
                    continue;
                }
                V b = S.Load(B + i * N + j);
                b = Shift == null ? b : S.Sub(b, S.Splat(Shift[i]));
                sum = S.Fma(a, S.Mul(b, S.Splat(Scale[i])), sum);
            }
            return sum;
        }
    }
}
