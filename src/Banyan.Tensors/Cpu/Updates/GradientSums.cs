using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// Sums over a gradient's elements in double precision: fixed pieces, each with four running sums, added in order; the squares of float32 in
/// vectors, with blocks of 1024 in float32. The bits are the same for any number of threads and any vector width. float32, bfloat16 and
/// float16, dense.
/// </summary>
internal static unsafe class GradientSums
{
    private const long Piece = 16 * 1024;

    /// <summary>The sum of squares.</summary>
    public static double OfSquares(Tensor x) => Total<Square>(x, new Square());

    /// <summary>The sum of |x|^p.</summary>
    public static double OfPowers(Tensor x, double p) => Total(x, new Power { P = p });

    /// <summary>The largest |x|; NaN when an element is.</summary>
    public static double Largest(Tensor x) => Total(x, new Maximum());

    private interface ITerm
    {
        double Join(double sum, double x);
    }

    private readonly struct Square : ITerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public double Join(double sum, double x) => sum + x * x;
    }

    private struct Power : ITerm
    {
        public double P;

        public readonly double Join(double sum, double x) => sum + Math.Pow(Math.Abs(x), P);
    }

    private readonly struct Maximum : ITerm
    {
        public double Join(double sum, double x) => Math.Max(sum, Math.Abs(x));
    }

    private static double Total<T>(Tensor x, T term) where T : struct, ITerm
    {
        if (x.Device.IsMeta || x.Count == 0)
        {
            return 0;
        }
        return x.DType == DType.BFloat16 ? Total<BFloat16, T>(x, term) : x.DType == DType.Float16 ? Total<Half, T>(x, term) : Total<float, T>(x, term);
    }

    private static double Total<TX, T>(Tensor x, T term) where TX : unmanaged where T : struct, ITerm
    {
        long pieces = (x.Count + Piece - 1) / Piece;
        double[]? rented = pieces > 256 ? System.Buffers.ArrayPool<double>.Shared.Rent((int)pieces) : null;
        Span<double> partial = rented is null ? stackalloc double[256] : rented;
        double sum = 0;
        fixed (double* p = partial)
        {
            x.Pool.For(pieces, 1, new Body<TX, T> { X = (TX*)x.Body.Storage!.Pointer + x.Body.Offset, Count = x.Count, Partial = p, Term = term });
            for (long i = 0; i < pieces; i++)
            {
                sum = typeof(T) == typeof(Maximum) ? Math.Max(sum, p[i]) : sum + p[i];
            }
        }
        if (rented is not null)
        {
            System.Buffers.ArrayPool<double>.Shared.Return(rented);
        }
        GC.KeepAlive(x);
        return sum;
    }

    private struct Body<TX, T> : IParallelBody where TX : unmanaged where T : struct, ITerm
    {
        public TX* X;
        public long Count;
        public double* Partial;
        public T Term;

        public void Run(long begin, long end)
        {
            for (long piece = begin; piece < end; piece++)
            {
                long first = piece * Piece;
                long n = Math.Min(Piece, Count - first);
                if (typeof(T) == typeof(Square) && typeof(TX) == typeof(float))
                {
                    var squares = new Squares { X = (float*)X + first, N = n };
                    Isa.Run(ref squares);
                    Partial[piece] = squares.Sum;
                }
                else
                {
                    Partial[piece] = Sum(X + first, n, Term);
                }
            }
        }

        private static double Sum(TX* x, long n, T term)
        {
            double a = 0, b = 0, c = 0, d = 0;
            long i = 0;
            for (; i <= n - 4; i += 4)
            {
                a = term.Join(a, ElementConvert.To<TX, float>(x[i]));
                b = term.Join(b, ElementConvert.To<TX, float>(x[i + 1]));
                c = term.Join(c, ElementConvert.To<TX, float>(x[i + 2]));
                d = term.Join(d, ElementConvert.To<TX, float>(x[i + 3]));
            }
            for (; i < n; i++)
            {
                a = term.Join(a, ElementConvert.To<TX, float>(x[i]));
            }
            return typeof(T) == typeof(Maximum) ? Math.Max(Math.Max(a, b), Math.Max(c, d)) : (a + b) + (c + d);
        }
    }

    // The sum of squares of a piece: lane i % 16 of a block adds up in float32, then the lanes in order in float64.
    private struct Squares : IKernel
    {
        private const int Lanes = 16;
        private const long Block = 1024;

        public float* X;
        public long N;
        public double Sum;

        public void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            float* lanes = stackalloc float[Lanes];
            for (long i = 0; i < N; i += Block)
            {
                FillLanes<S, V>(X + i, Math.Min(Block, N - i), lanes);
                for (int l = 0; l < Lanes; l++)
                {
                    Sum += lanes[l];
                }
            }
        }

        private static void FillLanes<S, V>(float* x, long n, float* lanes) where S : struct, ISimd<V> where V : struct
        {
            // Four registers at most hold the lanes: 1 of 16, 2 of 8, 4 of 4.
            V a = S.Zero, b = S.Zero, c = S.Zero, d = S.Zero;
            long full = S.Width == 1 ? 0 : n / Lanes * Lanes;
            for (long i = 0; i < full; i += Lanes)
            {
                a = AddSquare<S, V>(a, x + i);
                b = S.Width <= 8 ? AddSquare<S, V>(b, x + i + S.Width) : b;
                c = S.Width <= 4 ? AddSquare<S, V>(c, x + i + 2 * S.Width) : c;
                d = S.Width <= 4 ? AddSquare<S, V>(d, x + i + 3 * S.Width) : d;
            }
            new Span<float>(lanes, Lanes).Clear();
            if (S.Width > 1)
            {
                S.Store(lanes, a);
                S.Store(lanes + S.Width % Lanes, S.Width <= 8 ? b : a);
            }
            if (S.Width == 4)
            {
                S.Store(lanes + 8, c);
                S.Store(lanes + 12, d);
            }
            for (long i = full; i < n; i++)
            {
                lanes[i % Lanes] = MathF.FusedMultiplyAdd(x[i], x[i], lanes[i % Lanes]);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static V AddSquare<S, V>(V sum, float* x) where S : struct, ISimd<V> where V : struct
        {
            V v = S.Load(x);
            return S.Fma(v, v, sum);
        }
    }
}
