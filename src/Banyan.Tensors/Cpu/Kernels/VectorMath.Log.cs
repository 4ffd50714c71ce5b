using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

// x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); log x = e ln 2 + f - f^2/2 + f^3 P(f).
internal static partial class VectorMath
{
    private const int SqrtHalfBits = 0x3F3504F3;
    private const float SmallestNormal = 1.17549435e-38f;

    /// <summary>Natural logarithm: -inf at 0, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V isSmall = S.Less(x, S.Splat(SmallestNormal));
        V f = SplitExponent<S, V>(S.Select(isSmall, S.Mul(x, S.Splat(8388608f)), x), out V e);
        e = S.Sub(e, S.And(isSmall, S.Splat(23f)));
        return LogEdges<S, V>(x, LogOfParts<S, V>(e, f, S.Zero));
    }

    /// <summary>log(1 + x): the rounding error of 1 + x is divided by it and added back, so results near 0 are accurate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log1p<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V one = S.Splat(1f);
        V u = S.Add(x, one);
        V error = S.Select(S.Less(x, one), S.Sub(x, S.Sub(u, one)), S.Sub(one, S.Sub(u, x)));
        V f = SplitExponent<S, V>(u, out V e);
        V correction = S.Div(error, u);
        // Where 1 + x needs no power of two, f is x itself.
        V isNear = S.Equal(e, S.Zero);
        f = S.Select(isNear, x, f);
        correction = S.Select(isNear, S.Zero, correction);
        V y = LogEdges<S, V>(u, LogOfParts<S, V>(e, f, correction));
        return S.Select(S.Equal(x, S.Zero), x, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V SplitExponent<S, V>(V x, out V e) where S : struct, ISimd<V> where V : struct
    {
        V exponent = S.ShiftRightArithmetic(S.SubInt(x, S.SplatInt(SqrtHalfBits)), 23);
        e = S.FromInt(exponent);
        return S.Sub(S.SubInt(x, S.ShiftLeft(exponent, 23)), S.Splat(1f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LogOfParts<S, V>(V e, V f, V correction) where S : struct, ISimd<V> where V : struct
    {
        V p = S.Splat(0.0691409856f);
        p = S.Fma(p, f, S.Splat(-0.117885619f));
        p = S.Fma(p, f, S.Splat(0.118727967f));
        p = S.Fma(p, f, S.Splat(-0.12384522f));
        p = S.Fma(p, f, S.Splat(0.142187119f));
        p = S.Fma(p, f, S.Splat(-0.166692451f));
        p = S.Fma(p, f, S.Splat(0.200022236f));
        p = S.Fma(p, f, S.Splat(-0.249999866f));
        p = S.Fma(p, f, S.Splat(0.333333105f));
        V square = S.Mul(f, f);
        V tail = S.Fma(S.Mul(square, f), p, S.Fma(e, S.Splat(Ln2Low), correction));
        tail = S.Fma(square, S.Splat(-0.5f), tail);
        return S.Fma(e, S.Splat(Ln2High), S.Add(f, tail));
    }

    /// <summary>0 to -inf, negative to NaN, inf and NaN to themselves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LogEdges<S, V>(V x, V y) where S : struct, ISimd<V> where V : struct
    {
        V isOrdinary = S.And(S.Less(S.Zero, x), S.Less(x, S.Splat(float.PositiveInfinity)));
        V edge = S.Select(S.Equal(x, S.Zero), S.Splat(float.NegativeInfinity), S.Select(S.Less(x, S.Zero), S.Splat(float.NaN), x));
        return S.Select(isOrdinary, y, edge);
    }
}
