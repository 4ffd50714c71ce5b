using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>Placeholder with the signatures of the shared vector math library; delete this file when that is merged.</summary>
internal static class VectorMath
{
    /// <summary>e^x: x = n ln 2 + r, a degree 6 polynomial on |r| at most ln 2 / 2 (Cephes), below -87.3 zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V n = S.Round(S.Mul(x, S.Splat(1.44269504f)));
        V r = S.Fma(n, S.Splat(-0.693359375f), x);
        r = S.Fma(n, S.Splat(2.12194440e-4f), r);
        V p = S.Splat(1.9875691500e-4f);
        p = S.Fma(p, r, S.Splat(1.3981999507e-3f));
        p = S.Fma(p, r, S.Splat(8.3334519073e-3f));
        p = S.Fma(p, r, S.Splat(4.1665795894e-2f));
        p = S.Fma(p, r, S.Splat(1.6666665459e-1f));
        p = S.Fma(p, r, S.Splat(5.0000001201e-1f));
        p = S.Fma(p, S.Mul(r, r), S.Add(r, S.Splat(1f)));
        V y = S.AddInt(p, S.ShiftLeft(S.ToInt(n), 23));
        y = S.Select(S.Less(x, S.Splat(-87.3f)), S.Zero, y);
        return S.Select(S.Less(S.Splat(88.3f), x), S.Splat(float.PositiveInfinity), y);
    }

    /// <summary>tanh x = sign(x) (1 - 2 / (e^(2|x|) + 1)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V one = S.Splat(1f), sign = S.And(x, S.SplatInt(int.MinValue)), a = S.Abs(x);
        V t = S.Sub(one, S.Div(S.Splat(2f), S.Add(Exp<S, V>(S.Add(a, a)), one)));
        V x2 = S.Mul(a, a);
        V small = S.Fma(S.Mul(a, x2), S.Fma(x2, S.Fma(x2, S.Splat(-0.053968254f), S.Splat(0.13333333f)), S.Splat(-0.33333333f)), a);
        return S.Or(S.Select(S.Less(a, S.Splat(0.15f)), small, t), sign);
    }
}
