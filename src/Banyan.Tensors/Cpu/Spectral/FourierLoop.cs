using System.Numerics;

namespace Banyan.Cpu;

/// <summary>Fourier transforms of many rows of complex numbers, computed in double precision.</summary>
internal static unsafe class FourierLoop
{
    /// <summary>y = scale times the transform (or, with the exponent's sign turned, the inverse one) of each row; dense (..., n, 2), float32 or float64.</summary>
    public static void Run(Tensor x, Tensor y, bool inverse, double scale)
    {
        if (y.Device.IsMeta || y.Count == 0)
        {
            return;
        }
        int n = checked((int)x.Shape[-2]);
        var plan = new FourierPlan(n);
        long rows = x.Count / (2 * n), grain = Math.Max(1, 4096 / n);
        byte* px = x.Body.Storage!.Pointer, py = y.Body.Storage!.Pointer;
        if (x.DType == DType.Float64)
        {
            y.Pool.For(rows, grain, new Rows<double> { X = (double*)px + x.Body.Offset, Y = (double*)py + y.Body.Offset, N = n, Plan = plan, Inverse = inverse, Scale = scale });
        }
        else
        {
            y.Pool.For(rows, grain, new Rows<float> { X = (float*)px + x.Body.Offset, Y = (float*)py + y.Body.Offset, N = n, Plan = plan, Inverse = inverse, Scale = scale });
        }
        GC.KeepAlive(x);
        GC.KeepAlive(y);
    }

    private struct Rows<T> : IParallelBody where T : unmanaged, INumberBase<T>
    {
        public T* X, Y;
        public int N;
        public FourierPlan Plan;
        public bool Inverse;
        public double Scale;

        public readonly void Run(long begin, long end)
        {
            var row = new Complex[N];
            var scratch = new Complex[Plan.ScratchLength];
            // The inverse is the conjugate of the transform of the conjugate.
            double sign = Inverse ? -1 : 1;
            for (long r = begin; r < end; r++)
            {
                T* x = X + 2 * N * r, y = Y + 2 * N * r;
                for (int i = 0; i < N; i++)
                {
                    row[i] = new Complex(double.CreateTruncating(x[2 * i]), sign * double.CreateTruncating(x[2 * i + 1]));
                }
                Plan.Run(row, scratch);
                for (int i = 0; i < N; i++)
                {
                    y[2 * i] = T.CreateTruncating(row[i].Real * Scale);
                    y[2 * i + 1] = T.CreateTruncating(row[i].Imaginary * sign * Scale);
                }
            }
        }
    }
}
