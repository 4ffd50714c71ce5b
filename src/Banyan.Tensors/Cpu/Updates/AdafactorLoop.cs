using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// Adafactor's update u = g / sqrt(max(v, floor)), where v is stored whole, or is the product row x column / mean(row). The step needs the root
/// mean square of all u first, so u is computed twice and never stored.
/// </summary>
internal static unsafe class AdafactorLoop
{
    private const long Piece = 16 * 1024;
    private const long WholeUnit = 4 * FloatSource.Block;

    /// <summary>One tensor's second moments: <c>Row</c> (..., R) and <c>V</c> (..., C), or no row and V of the gradient's shape.</summary>
    internal struct Moments
    {
        public Tensor? Row;
        public Tensor V;

        /// <summary>Smallest v.</summary>
        public double Floor;

        /// <summary>Smallest mean(row).</summary>
        public double MeanFloor;
    }

    /// <summary>w = w keep - step u / max(1, rms(u) / threshold); with momentum m = b1 m + (1 - b1) (step u ...), w = w keep - m.</summary>
    public static void Run(Tensor weight, Tensor gradient, double scale, in Moments moments, double threshold, double keep, double step, Tensor? momentum, double beta1)
    {
        if (weight.Device.IsMeta || weight.Count == 0)
        {
            return;
        }
        bool isFactored = moments.Row is not null;
        long columns = isFactored ? gradient.Shape[-1] : WholeUnit, units = (weight.Count + columns - 1) / columns;
        NativeBuffer buffer = weight.Pool.Workspace.Rent(units * (sizeof(double) + sizeof(float)));
        var body = new Body
        {
            G = new FloatSource(gradient), Scale = (float)scale, Floor = (float)moments.Floor, Count = weight.Count, Columns = columns,
            W = F(weight), V = F(moments.V), M = momentum is null ? null : F(momentum), Partial = (double*)buffer.Floats,
            RowsPerMatrix = isFactored ? gradient.Shape[-2] : 1, Keep = (float)keep, Beta1 = (float)beta1, Share1 = (float)(1 - beta1),
        };
        if (moments.Row is { } row)
        {
            body.RowFactor = (float*)(body.Partial + units);
            ScaleRows(F(row), body.RowFactor, row.Count, body.RowsPerMatrix, moments.MeanFloor);
        }
        long grain = Math.Max(1, Piece / columns);
        weight.Pool.For(units, grain, body);
        double rms = Math.Sqrt(Sum(body.Partial, units) / weight.Count);
        body.StepSize = (float)(step / Math.Max(1, rms / threshold));
        body.IsUpdate = true;
        weight.Pool.For(units, grain, body);
        weight.Pool.Workspace.Return(buffer);
        weight.MarkChanged();
        GC.KeepAlive(weight);
        GC.KeepAlive(gradient);
        GC.KeepAlive(moments.Row);
        GC.KeepAlive(moments.V);
        GC.KeepAlive(momentum);
    }

    private static float* F(Tensor t) => (float*)t.Body.Storage!.Pointer + t.Body.Offset;

    private static double Sum(double* x, long n)
    {
        double sum = 0;
        for (long i = 0; i < n; i++)
        {
            sum += x[i];
        }
        return sum;
    }

    // factor = row / max(mean(row), floor), for each matrix.
    private static void ScaleRows(float* row, float* factor, long count, long rows, double floor)
    {
        for (long first = 0; first < count; first += rows)
        {
            double sum = 0;
            for (long r = first; r < first + rows; r++)
            {
                sum += row[r];
            }
            double mean = Math.Max(sum / rows, floor);
            for (long r = first; r < first + rows; r++)
            {
                factor[r] = (float)(row[r] / mean);
            }
        }
    }

    private struct Body : IParallelBody, IKernel
    {
        public FloatSource G;
        public float Scale, Floor, Keep, StepSize, Beta1, Share1;
        public float* W, V, M, RowFactor;
        public double* Partial;
        public long Count, Columns, RowsPerMatrix;
        public bool IsUpdate;
        private long _at, _n;
        private float* _gradient, _v, _squares;
        private float _rowFactor, _sum;

        public void Run(long begin, long end)
        {
            float* widened = stackalloc float[FloatSource.Block];
            float* squares = stackalloc float[FloatSource.Block];
            _squares = squares;
            for (long unit = begin; unit < end; unit++)
            {
                long first = unit * Columns, last = Math.Min(first + Columns, Count);
                float* v = RowFactor is null ? V + first : V + unit / RowsPerMatrix * Columns;
                _rowFactor = RowFactor is null ? 1 : RowFactor[unit];
                double sum = 0;
                for (_at = first; _at < last; _at += _n)
                {
                    _n = Math.Min(FloatSource.Block, last - _at);
                    _gradient = G.Read(_at, _at + _n, widened);
                    _v = v + (_at - first);
                    Isa.Run(ref this);
                    sum += _sum;
                }
                if (!IsUpdate)
                {
                    Partial[unit] = sum;
                }
            }
        }

        public void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            long i = 0;
            for (; i <= _n - S.Width; i += S.Width)
            {
                Element<S, V>(i);
            }
            for (; i < _n; i++)
            {
                Element<SimdScalar, float>(i);
            }
            if (!IsUpdate)
            {
                float* lanes = stackalloc float[RowFold<SumReduction>.Lanes];
                _sum = RowFold<SumReduction>.One<S, V>(_squares, _n, lanes);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void Element<S, V>(long i) where S : struct, ISimd<V> where V : struct
        {
            V v = S.Max(S.Mul(S.Load(_v + i), S.Splat(_rowFactor)), S.Splat(Floor));
            V u = S.Div(S.Mul(S.Load(_gradient + i), S.Splat(Scale)), S.Sqrt(v));
            if (!IsUpdate)
            {
                S.Store(_squares + i, S.Mul(u, u));
                return;
            }
            float* w = W + _at + i;
            V step = S.Mul(u, S.Splat(StepSize));
            if (M is not null)
            {
                step = S.Fma(S.Load(M + _at + i), S.Splat(Beta1), S.Mul(step, S.Splat(Share1)));
                S.Store(M + _at + i, step);
            }
            S.Store(w, S.Sub(S.Mul(S.Load(w), S.Splat(Keep)), step));
        }
    }
}
