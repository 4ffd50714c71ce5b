using System.Runtime.Intrinsics;

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
                long first = piece * Piece;
                Partial[piece] = Sum(X + first, Math.Min(Piece, Count - first));
            }
        }

        // Element i goes to running sum i mod 16; squares of float32 are exact in double precision.
        private static double Sum(float* x, long n)
        {
            Vector256<double> a = default, b = default, c = default, d = default;
            long i = 0;
            for (; i <= n - 16; i += 16)
            {
                (Vector256<double> x0, Vector256<double> x1) = Vector256.Widen(Vector256.Load(x + i));
                (Vector256<double> x2, Vector256<double> x3) = Vector256.Widen(Vector256.Load(x + i + 8));
                a += x0 * x0;
                b += x1 * x1;
                c += x2 * x2;
                d += x3 * x3;
            }
            a = (a + b) + (c + d);
            double sum = (a[0] + a[2]) + (a[1] + a[3]);
            for (; i < n; i++)
            {
                sum += (double)x[i] * x[i];
            }
            return sum;
        }
    }
}
