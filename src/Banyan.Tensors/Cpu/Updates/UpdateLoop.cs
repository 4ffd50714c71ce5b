using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// The formula of an element-wise optimizer for one vector of elements: weight <c>w</c>, gradient <c>g</c> and up to three state vectors.
/// </summary>
internal interface IUpdateRule
{
    /// <summary>How many of the state vectors are read and written.</summary>
    static abstract int StateCount { get; }

    void Update<S, V>(ref V w, V g, ref V a, ref V b, ref V c) where S : struct, ISimd<V> where V : struct;
}

/// <summary>
/// Applies an <see cref="IUpdateRule"/> in one pass over memory. Every element is computed by itself with the same roundings in each vector
/// width, so the bits do not depend on threads, width, or on which range of a parameter is updated.
/// </summary>
internal static unsafe class UpdateLoop
{
    private const long Piece = 16 * 1024;

    /// <summary>Updates a float32 weight (and its rounded copy) from a gradient of any float type.</summary>
    /// <param name="rule">The formula.</param>
    /// <param name="weight">float32, dense: the parameter, or the master copy of a bfloat16 or float16 one.</param>
    /// <param name="rounded">The bfloat16 or float16 parameter that receives the rounded master; null when the weight is the parameter.</param>
    /// <param name="gradient">float32, bfloat16 or float16, dense.</param>
    /// <param name="gradientScale">Factor on the gradient.</param>
    /// <param name="a">First state.</param>
    /// <param name="b">Second state.</param>
    /// <param name="c">Third state.</param>
    public static void Run<U>(U rule, Tensor weight, Tensor? rounded, Tensor gradient, double gradientScale, Tensor? a = null, Tensor? b = null, Tensor? c = null)
        where U : struct, IUpdateRule
    {
        if (weight.Device.IsMeta)
        {
            return;
        }
        var body = new Body<U>
        {
            Rule = rule, W = F(weight), A = F(a), B = F(b), C = F(c), Scale = (float)gradientScale,
            G = new FloatSource(gradient), IsRounded = rounded is not null, R = rounded is null ? default : new FloatSource(rounded),
        };
        weight.Pool.For(weight.Count, Piece, body);
        weight.MarkChanged();
        rounded?.MarkChanged();
        GC.KeepAlive(weight);
        GC.KeepAlive(rounded);
        GC.KeepAlive(gradient);
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(c);
    }

    private static float* F(Tensor? t) => t is null ? null : (float*)t.Body.Storage!.Pointer + t.Body.Offset;

    private struct Body<U> : IParallelBody, IKernel where U : struct, IUpdateRule
    {
        public U Rule;
        public float* W, A, B, C;
        public FloatSource G, R;
        public bool IsRounded;
        public float Scale;
        private float* _gradient;     // the gradient of element i is _gradient[i]
        private long _begin, _end;

        public void Run(long begin, long end)
        {
            Body<U> copy = this;
            float* buffer = stackalloc float[FloatSource.Block];
            long step = G.IsFloat32 && !IsRounded ? end - begin : FloatSource.Block;
            for (long i = begin; i < end; i += step)
            {
                (copy._begin, copy._end) = (i, Math.Min(i + step, end));
                copy._gradient = G.Read(i, copy._end, buffer) - i;
                Isa.Run(ref copy);
                if (IsRounded)
                {
                    R.Write(i, copy._end, W + i);
                }
            }
        }

        public void Invoke<S, V>() where S : struct, ISimd<V> where V : struct
        {
            U rule = Rule;
            long i = _begin;
            for (; i <= _end - S.Width; i += S.Width)
            {
                Step<S, V>(ref rule, i);
            }
            for (; i < _end; i++)
            {
                Step<SimdScalar, float>(ref rule, i);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void Step<S, V>(ref U rule, long i) where S : struct, ISimd<V> where V : struct
        {
            V w = S.Load(W + i), g = S.Mul(S.Load(_gradient + i), S.Splat(Scale));
            V a = U.StateCount > 0 ? S.Load(A + i) : S.Zero;
            V b = U.StateCount > 1 ? S.Load(B + i) : S.Zero;
            V c = U.StateCount > 2 ? S.Load(C + i) : S.Zero;
            rule.Update<S, V>(ref w, g, ref a, ref b, ref c);
            S.Store(W + i, w);
            if (U.StateCount > 0)
            {
                S.Store(A + i, a);
            }
            if (U.StateCount > 1)
            {
                S.Store(B + i, b);
            }
            if (U.StateCount > 2)
            {
                S.Store(C + i, c);
            }
        }
    }
}
