namespace Banyan.Cpu;

/// <summary>
/// Rotary position embedding (Su et al. 2021): the pairs of a head's first 2 * half elements turn by their token's angle:
/// (a, b) becomes (a cos - b sin, b cos + a sin). Pairs are (i, i + half), or (2i, 2i + 1) when interleaved. The inverse turn is the gradient.
/// </summary>
internal static unsafe class RotaryKernel
{
    /// <summary>y = the turned x; (tokens, heads, width) each with its own token and head strides; cos and sin: (tokens, half). y may be x.</summary>
    public static void Run(float* x, long xToken, long xHead, float* y, long yToken, long yHead, float* cos, float* sin,
        long tokens, long heads, long width, long half, bool interleaved, bool inverse, ComputePool pool)
    {
        var kernel = new Kernel
        {
            X = x, XToken = xToken, XHead = xHead, Y = y, YToken = yToken, YHead = yHead, Cos = cos, Sin = sin,
            Heads = heads, Width = width, Half = half, Interleaved = interleaved, Inverse = inverse,
        };
        RowKernel.Run(kernel, tokens, heads * width, pool);
    }

    private struct Kernel : IRowKernel
    {
        public float* X, Y, Cos, Sin;
        public long XToken, XHead, YToken, YHead, Heads, Width, Half;
        public bool Interleaved, Inverse;

        public void Rows<S, V>(long begin, long end) where S : struct, ISimd<V> where V : struct
        {
            for (long t = begin; t < end; t++)
            {
                for (long h = 0; h < Heads; h++)
                {
                    float* x = X + t * XToken + h * XHead, y = Y + t * YToken + h * YHead;
                    if (Interleaved)
                    {
                        TurnInterleaved(x, y, Cos + t * Half, Sin + t * Half);
                    }
                    else
                    {
                        TurnHalves<S, V>(x, y, Cos + t * Half, Sin + t * Half);
                    }
                    for (long i = 2 * Half; i < Width; i++)
                    {
                        y[i] = x[i];
                    }
                }
            }
        }

        private readonly void TurnHalves<S, V>(float* x, float* y, float* cos, float* sin) where S : struct, ISimd<V> where V : struct
        {
            long i = 0;
            for (; i <= Half - S.Width; i += S.Width)
            {
                V c = S.Load(cos + i), s = S.Load(sin + i), a = S.Load(x + i), b = S.Load(x + Half + i);
                s = Inverse ? S.Neg(s) : s;
                S.Store(y + i, S.Fma(a, c, S.Neg(S.Mul(b, s))));
                S.Store(y + Half + i, S.Fma(b, c, S.Mul(a, s)));
            }
            for (; i < Half; i++)
            {
                Turn(x[i], x[Half + i], cos[i], Inverse ? -sin[i] : sin[i], y + i, y + Half + i);
            }
        }

        private readonly void TurnInterleaved(float* x, float* y, float* cos, float* sin)
        {
            for (long i = 0; i < Half; i++)
            {
                Turn(x[2 * i], x[2 * i + 1], cos[i], Inverse ? -sin[i] : sin[i], y + 2 * i, y + 2 * i + 1);
            }
        }

        private static void Turn(float a, float b, float c, float s, float* ya, float* yb)
        {
            *ya = MathF.FusedMultiplyAdd(a, c, -(b * s));
            *yb = MathF.FusedMultiplyAdd(b, c, a * s);
        }
    }
}
