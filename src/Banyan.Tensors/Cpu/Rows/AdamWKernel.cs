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

        public void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            long i = _begin;
            for (; i <= _end - S.Width; i += S.Width)
            {
                Update<S, V>(i);
            }
            for (; i < _end; i++)
            {
                Update<SimdScalar, float>(i);
            }
        }

        private readonly void Update<S, V>(long i) where S : struct, ISimd<V> where V : struct
        {
            V w = S.Load(W + i), g = S.Mul(S.Load(G + i), S.Splat(Set.GradScale));
            g = S.Fma(w, S.Splat(Set.L2), g);
            V m = S.Load(M + i), v = S.Load(V_ + i);
            m = S.Fma(S.Sub(g, m), S.Splat(1 - Set.Beta1), m);
            v = S.Fma(S.Mul(g, g), S.Splat(1 - Set.Beta2), S.Mul(v, S.Splat(Set.Beta2)));
            V denominator = S.Add(S.Div(S.Sqrt(v), S.Splat(Set.RootCorrection2)), S.Splat(Set.Eps));
            w = S.Mul(w, S.Splat(1 - Set.Decay));
            S.Store(W + i, S.Sub(w, S.Mul(S.Splat(Set.StepSize), S.Div(m, denominator))));
            S.Store(M + i, m);
            S.Store(V_ + i, v);
        }
    }
}
