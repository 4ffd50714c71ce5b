using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// Elementary functions on vectors of float32, within 2 units in the last place of the exact value (<c>Sigmoid</c> 2.5, <c>Erf</c> 4, the forms
/// of GELU more where they vanish), with C's results for infinities, NaN, zeros and subnormals. Only additions, multiplications, fused
/// multiply-adds, divisions and bit operations are used, each of them correctly rounded, so every vector width returns the same bits (a NaN's
/// payload excepted).
/// </summary>
/// <remarks>The polynomials are minimax fits (Lawson's iteration, coefficients rounded to float32 one after the other).</remarks>
internal static partial class VectorMath
{
    private const float Log2E = 1.44269502f;
    private const float Ln2High = 0.693147182f;
    private const float Ln2Low = -1.90465421e-9f;

    // Adding 1.5 * 2^23 rounds to an integer (half to even) and leaves that integer in the low bits.
    private const float RoundingShift = 12582912f;
    private const int RoundingShiftBits = 0x4B400000;

    /// <summary>e^x = 2^n e^r with n = round(x / ln 2), |r| at most ln(2)/2, e^r = 1 + r + r^2 P(r).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V y = ExpReduced<S, V>(Clamp<S, V>(x, -104f, 89f), out V n);
        // Two factors, since 2^n itself may overflow or be subnormal; the second product rounds once, so subnormal results are right.
        V half = S.ShiftRightArithmetic(n, 1);
        return S.Mul(S.Mul(y, PowerOfTwo<S, V>(half)), PowerOfTwo<S, V>(S.SubInt(n, half)));
    }

    /// <summary>e^x - 1 = 2^n (e^r - 1) + (2^n - 1): accurate near 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Expm1<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V q = Expm1Reduced<S, V>(Clamp<S, V>(x, -20f, 89f), out V n);
        V half = S.ShiftRightArithmetic(n, 1);
        V rest = S.SubInt(n, half);
        V s = PowerOfTwo<S, V>(half);
        V y = S.Fma(q, s, S.Sub(s, PowerOfTwo<S, V>(S.SubInt(S.Zero, rest))));
        return S.Select(S.Equal(x, S.Zero), x, S.Mul(y, PowerOfTwo<S, V>(rest)));
    }

    /// <summary>
    /// e^x for x of at most 0 (up to 88 it is right too), where softmax needs it: 0 below -87.33, where e^x is no normal number any more. Half the
    /// work of <see cref="Exp"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ExpNonPositive<S, V>(V x) where S : struct, ISimd<V> where V : struct =>
        S.Select(S.Less(x, S.Splat(-87.33f)), S.Zero, ExpBounded<S, V>(x));

    /// <summary>e^x for x in [-87, 88], where 2^n is a normal number: the inner part of other functions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExpBounded<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V y = ExpReduced<S, V>(x, out V n);
        return S.Mul(y, PowerOfTwo<S, V>(n));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExpReduced<S, V>(V x, out V n) where S : struct, ISimd<V> where V : struct
    {
        V r = ReduceByLn2<S, V>(x, out n);
        V p = S.Splat(0.00138243986f);
        p = S.Fma(p, r, S.Splat(0.0083693834f));
        p = S.Fma(p, r, S.Splat(0.04166824f));
        p = S.Fma(p, r, S.Splat(0.166665152f));
        p = S.Fma(p, r, S.Splat(0.49999994f));
        return S.Add(S.Fma(S.Mul(r, r), p, r), S.Splat(1f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Expm1Reduced<S, V>(V x, out V n) where S : struct, ISimd<V> where V : struct
    {
        V r = ReduceByLn2<S, V>(x, out n);
        V p = S.Splat(0.000199565446f);
        p = S.Fma(p, r, S.Splat(0.00139338966f));
        p = S.Fma(p, r, S.Splat(0.00833319407f));
        p = S.Fma(p, r, S.Splat(0.0416664779f));
        p = S.Fma(p, r, S.Splat(0.166666672f));
        p = S.Fma(p, r, S.Splat(0.5f));
        return S.Fma(S.Mul(r, r), p, r);
    }

    /// <summary>x = n ln 2 + r; the lanes of <paramref name="n"/> are int32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ReduceByLn2<S, V>(V x, out V n) where S : struct, ISimd<V> where V : struct
    {
        V shifted = S.Fma(x, S.Splat(Log2E), S.Splat(RoundingShift));
        V rounded = S.Sub(shifted, S.Splat(RoundingShift));
        n = S.SubInt(shifted, S.SplatInt(RoundingShiftBits));
        return S.Fma(rounded, S.Splat(-Ln2Low), S.Fma(rounded, S.Splat(-Ln2High), x));
    }

    /// <summary>2^n for n in [-126, 127].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V PowerOfTwo<S, V>(V n) where S : struct, ISimd<V> where V : struct =>
        S.ShiftLeft(S.AddInt(n, S.SplatInt(127)), 23);

    /// <summary>Limits x to [low, high]; NaN stays (every comparison with it is false).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Clamp<S, V>(V x, float low, float high) where S : struct, ISimd<V> where V : struct
    {
        x = S.Select(S.Less(x, S.Splat(low)), S.Splat(low), x);
        return S.Select(S.Less(S.Splat(high), x), S.Splat(high), x);
    }

    /// <summary>The magnitude of <paramref name="magnitude"/> (not negative) with the sign of <paramref name="sign"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V CopySign<S, V>(V magnitude, V sign) where S : struct, ISimd<V> where V : struct =>
        S.Or(magnitude, S.And(sign, S.SplatInt(int.MinValue)));
}
