namespace Banyan.Cpu;

/// <summary>The sum of squares of a float32 tensor, in double precision over fixed pieces added in order: the same for any thread count.</summary>
internal static unsafe class SquaredNorm
{
    private const long Piece = 16 * 1024;

    public static double Of(Tensor x)
    {
        if (x.Device.IsMeta || x.Count == 0)
        {
            return 0;
        }
        long pieces = (x.Count + Piece - 1) / Piece;
        double[]? rented = pieces > 256 ? System.Buffers.ArrayPool<double>.Shared.Rent((int)pieces) : null;
        Span<double> partial = rented is null ? stackalloc double[256] : rented;
        double sum = 0;
        fixed (double* p = partial)
        {
            x.Pool.For(pieces, 1, new Body { X = (float*)x.Body.Storage!.Pointer + x.Body.Offset, Count = x.Count, Partial = p });
            for (long i = 0; i < pieces; i++)
            {
                sum += p[i];
            }
        }
        if (rented is not null)
        {
            System.Buffers.ArrayPool<double>.Shared.Return(rented);
        }
        GC.KeepAlive(x);
        return sum;
    }

    private struct Body : IParallelBody
    {
        public float* X;
        public long Count;
        public double* Partial;

        public void Run(long begin, long end)
        {
            for (long piece = begin; piece < end; piece++)
            {
                double a = 0, b = 0, c = 0, d = 0;
                long i = piece * Piece, last = Math.Min(i + Piece, Count);
                for (; i <= last - 4; i += 4)
                {
                    a += (double)X[i] * X[i];
                    b += (double)X[i + 1] * X[i + 1];
                    c += (double)X[i + 2] * X[i + 2];
                    d += (double)X[i + 3] * X[i + 3];
                }
                for (; i < last; i++)
                {
                    a += (double)X[i] * X[i];
                }
                Partial[piece] = (a + b) + (c + d);
            }
        }
    }
}
