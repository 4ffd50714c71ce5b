namespace Banyan.Cpu;

/// <summary>
/// One step of Adam with decoupled weight decay (Loshchilov and Hutter 2019) in one pass over memory: 4 reads, 3 writes.
/// g = gradient * scale; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w = w (1 - lr wd) - lr / c1 * m / (sqrt(v / c2) + eps).
/// </summary>
internal static unsafe class AdamWKernel
{
    internal struct Settings
    {
        public float Beta1, Beta2, Eps, GradScale, Decay;

        /// <summary>lr / (1 - beta1^t).</summary>
        public float StepSize;

        /// <summary>sqrt(1 - beta2^t).</summary>
        public float RootCorrection2;

        /// <summary>L2 added to the gradient (plain Adam).</summary>
        public float L2;
    }

    public static void Run(Tensor w, Tensor g, Tensor m, Tensor v, in Settings settings)
    {
        var body = new Body { W = F(w), G = F(g), M = F(m), V_ = F(v), Set = settings };
        w.Pool.For(w.Count, 16 * 1024, body);
        w.MarkChanged();
        GC.KeepAlive(w);
        GC.KeepAlive(g);
        GC.KeepAlive(m);
        GC.KeepAlive(v);
    }

    private static float* F(Tensor t) => (float*)t.Body.Storage!.Pointer + t.Body.Offset;

    private struct Body : IParallelBody, IKernel
    {
        public float* W, G, M, V_;
        public Settings Set;
        private long _begin, _end;

        public void Run(long begin, long end)
        {
            Body copy = this;
            (copy._begin, copy._end) = (begin, end);
            Isa.Run(ref copy);
        }

        public readonly void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            long i = _begin;
            var step = new Step<S, V>(this);
            for (; i <= _end - S.Width; i += S.Width)
            {
                step.Update(i);
            }
            var rest = new Step<SimdScalar, float>(this);
            for (; i < _end; i++)
            {
                rest.Update(i);
            }
        }
    }

    // The settings as vectors, made once.
    private readonly struct Step<S, V>(in Body body) where S : struct, ISimd<V> where V : struct
    {
        private readonly float* _w = body.W, _g = body.G, _m = body.M, _v = body.V_;
        private readonly V _gradScale = S.Splat(body.Set.GradScale), _l2 = S.Splat(body.Set.L2), _eps = S.Splat(body.Set.Eps);
        private readonly V _beta2 = S.Splat(body.Set.Beta2), _rest1 = S.Splat(1 - body.Set.Beta1), _rest2 = S.Splat(1 - body.Set.Beta2);
        private readonly V _inverseRoot = S.Splat(1 / body.Set.RootCorrection2), _keep = S.Splat(1 - body.Set.Decay), _stepSize = S.Splat(body.Set.StepSize);

        public void Update(long i)
        {
            V w = S.Load(_w + i), g = S.Fma(w, _l2, S.Mul(S.Load(_g + i), _gradScale));
            V m = S.Load(_m + i), v = S.Load(_v + i);
            m = S.Fma(S.Sub(g, m), _rest1, m);
            v = S.Fma(S.Mul(g, g), _rest2, S.Mul(v, _beta2));
            V denominator = S.Fma(S.Sqrt(v), _inverseRoot, _eps);
            S.Store(_w + i, S.Sub(S.Mul(w, _keep), S.Mul(_stepSize, S.Div(m, denominator))));
            S.Store(_m + i, m);
            S.Store(_v + i, v);
        }
    }
}
