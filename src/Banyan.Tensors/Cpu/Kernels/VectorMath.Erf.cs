using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

internal static partial class VectorMath
{
    private const float InverseSqrtTwoPi = 0.398942292f;

    /// <summary>
    /// Error function: x + x P(x^2) for |x| below 0.93, else sign(x) (1 - e^-Q(|x|)) with Q = -log(erfc); 1 from |x| = 4 on.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Erf<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V z = S.Mul(x, x);
        V p = S.Splat(8.30120262e-5f);
        p = S.Fma(p, z, S.Splat(-0.000812513521f));
        p = S.Fma(p, z, S.Splat(0.0051993141f));
        p = S.Fma(p, z, S.Splat(-0.0268585924f));
        p = S.Fma(p, z, S.Splat(0.112836771f));
        p = S.Fma(p, z, S.Splat(-0.376126319f));
        p = S.Fma(p, z, S.Splat(0.128379166f));

        V a = S.Abs(x);
        a = S.Select(S.Less(S.Splat(4f), a), S.Splat(4f), a);
        V q = S.Splat(5.21808374e-7f);
        q = S.Fma(q, a, S.Splat(1.43114448e-5f));
        q = S.Fma(q, a, S.Splat(-0.000396701071f));
        q = S.Fma(q, a, S.Splat(0.00405345997f));
        q = S.Fma(q, a, S.Splat(-0.0248952005f));
        q = S.Fma(q, a, S.Splat(0.108011924f));
        q = S.Fma(q, a, S.Splat(0.633543491f));
        q = S.Fma(q, a, S.Splat(1.12943411f));
        q = S.Fma(q, a, S.Splat(-0.000160405616f));
        V far = S.Sub(S.Splat(1f), ExpBounded<S, V>(S.Neg(q)));

        return S.Select(S.Less(a, S.Splat(0.93f)), S.Fma(x, p, x), CopySign<S, V>(far, x));
    }

    /// <summary>
    /// The standard normal distribution function of x, with full relative accuracy on the left tail, and its density. With a = |x|,
    /// u = 1/(a + 4), t = 1 - 8u: tail(a) = e^(-a^2/2) u H(t). The rounding error of a^2 is carried, since the exponential magnifies it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V NormalCdf<S, V>(V x, out V density) where S : struct, ISimd<V> where V : struct
    {
        V a = S.Abs(x);
        a = S.Select(S.Less(S.Splat(14.5f), a), S.Splat(14.5f), a);
        V square = S.Mul(a, a);
        V squareError = S.Fma(a, a, S.Neg(square));
        V e = Exp<S, V>(S.Mul(square, S.Splat(-0.5f)));
        e = S.Fma(e, S.Mul(squareError, S.Splat(-0.5f)), e);
        density = S.Mul(e, S.Splat(InverseSqrtTwoPi));

        V u = S.Div(S.Splat(1f), S.Add(a, S.Splat(4f)));
        V t = S.Fma(u, S.Splat(-8f), S.Splat(1f));
        V h = S.Splat(-1.15903395e-5f);
        h = S.Fma(h, t, S.Splat(-0.000136767936f));
        h = S.Fma(h, t, S.Splat(0.000207557736f));
        h = S.Fma(h, t, S.Splat(0.0015844967f));
        h = S.Fma(h, t, S.Splat(-0.00352980499f));
        h = S.Fma(h, t, S.Splat(-0.00753278425f));
        h = S.Fma(h, t, S.Splat(0.060408324f));
        h = S.Fma(h, t, S.Splat(-0.18652226f));
        h = S.Fma(h, t, S.Splat(0.38713643f));
        h = S.Fma(h, t, S.Splat(-0.607896626f));
        h = S.Fma(h, t, S.Splat(0.755285144f));
        V tail = S.Mul(S.Mul(u, h), e);
        return S.Select(S.Less(x, S.Zero), tail, S.Sub(S.Splat(1f), tail));
    }
}
