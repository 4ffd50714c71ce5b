using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// One step of AdamW whose moments are codes of a <see cref="DynamicMap"/>, scaled by the largest magnitude of each block of 256. A block is
/// widened, updated and coded again by one thread.
/// </summary>
internal static unsafe class AdamW8BitLoop
{
    /// <summary>Elements that share a scale.</summary>
    public const int Block = 256;

    internal struct Settings
    {
        public float Beta1, Share1, Beta2, Share2, Eps, StepSize, Keep, GradientScale;
    }

    /// <summary>Updates a float32 weight. Codes have the weight's count; scales one number per block.</summary>
    public static void Run(Tensor weight, Tensor gradient, Tensor codes1, Tensor scales1, Tensor codes2, Tensor scales2, in Settings settings)
    {
        if (weight.Device.IsMeta)
        {
            return;
        }
        var body = new Body
        {
            W = F(weight), G = new FloatSource(gradient), Count = weight.Count, Set = settings,
            M = Bytes(codes1), V = Bytes(codes2), MScale = F(scales1), VScale = F(scales2),
        };
        weight.Pool.For((weight.Count + Block - 1) / Block, 32, body);
        weight.MarkChanged();
        GC.KeepAlive(weight);
        GC.KeepAlive(gradient);
        GC.KeepAlive(codes1);
        GC.KeepAlive(scales1);
        GC.KeepAlive(codes2);
        GC.KeepAlive(scales2);
    }

    private static byte* Bytes(Tensor t) => t.Body.Storage!.Pointer + t.DType.ByteCount(t.Body.Offset);

    private static float* F(Tensor t) => (float*)Bytes(t);

    /// <summary>Codes one block of at most 256 numbers and returns its scale.</summary>
    public static float Encode(DynamicMap map, float* x, long n, byte* codes)
    {
        float largest = 0;
        for (long i = 0; i < n; i++)
        {
            largest = Math.Max(largest, Math.Abs(x[i]));
        }
        float inverse = largest > 0 ? 1 / largest : 0;
        for (long i = 0; i < n; i++)
        {
            codes[i] = map.Nearest(x[i] * inverse);
        }
        return largest;
    }

    private static void Decode(DynamicMap map, byte* codes, float scale, long n, float* x)
    {
        float[] values = map.Values;
        for (long i = 0; i < n; i++)
        {
            x[i] = values[codes[i]] * scale;
        }
    }

    private struct Body : IParallelBody, IKernel
    {
        public float* W, MScale, VScale;
        public FloatSource G;
        public byte* M, V;
        public long Count;
        public Settings Set;
        private float* _w, _g, _m, _v;
        private long _n;

        public void Run(long begin, long end)
        {
            float* buffer = stackalloc float[3 * Block];
            _m = buffer;
            _v = buffer + Block;
            for (long block = begin; block < end; block++)
            {
                long first = block * Block;
                _n = Math.Min(Block, Count - first);
                _w = W + first;
                _g = G.Read(first, first + _n, buffer + 2 * Block);
                Decode(DynamicMap.Signed, M + first, MScale[block], _n, _m);
                Decode(DynamicMap.Unsigned, V + first, VScale[block], _n, _v);
                Isa.Run(ref this);
                MScale[block] = Encode(DynamicMap.Signed, _m, _n, M + first);
                VScale[block] = Encode(DynamicMap.Unsigned, _v, _n, V + first);
            }
        }

        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            long i = 0;
            for (; i <= _n - S.Width; i += S.Width)
            {
                Step<S, V>(i);
            }
            for (; i < _n; i++)
            {
                Step<SimdScalar, float>(i);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void Step<S, V>(long i) where S : struct, ISimd<V> where V : struct
        {
            V g = S.Mul(S.Load(_g + i), S.Splat(Set.GradientScale));
            V m = S.Fma(g, S.Splat(Set.Share1), S.Mul(S.Load(_m + i), S.Splat(Set.Beta1)));
            V v = S.Fma(S.Mul(g, g), S.Splat(Set.Share2), S.Mul(S.Load(_v + i), S.Splat(Set.Beta2)));
            V w = S.Sub(S.Load(_w + i), S.Mul(S.Splat(Set.StepSize), S.Div(m, S.Add(S.Sqrt(v), S.Splat(Set.Eps)))));
            S.Store(_w + i, S.Mul(w, S.Splat(Set.Keep)));
            S.Store(_m + i, m);
            S.Store(_v + i, v);
        }
    }
}
