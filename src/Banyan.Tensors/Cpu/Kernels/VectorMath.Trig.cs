using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

// |x| = n pi/2 + r with n = round(|x| 2/pi). pi/2 is the sum of three floats, each product with n is exact inside its fused multiply-add,
// which is enough for |x| < 2^17; lanes beyond go through Math.Sin and Math.Cos in float64.
internal static partial class VectorMath
{
    private const float TwoOverPi = 0.636619747f;
    private const float HalfPi1 = 1.57079637f;
    private const float HalfPi2 = -4.37113883e-8f;
    private const float HalfPi3 = -1.71512451e-15f;
    private const float LargestReduced = 131072f;

    /// <summary>Sine of x in radians.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sin<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V a = S.Abs(x);
        V y = S.Xor(SinOfQuadrant<S, V>(a, 0), S.And(x, S.SplatInt(int.MinValue)));
        return S.AnyTrue(S.LessOrEqual(S.Splat(LargestReduced), a)) ? HugeSin<S, V>(x, y) : y;
    }

    /// <summary>Cosine of x in radians.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Cos<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V a = S.Abs(x);
        V y = SinOfQuadrant<S, V>(a, 1);
        return S.AnyTrue(S.LessOrEqual(S.Splat(LargestReduced), a)) ? HugeCos<S, V>(x, y) : y;
    }

    /// <summary>sin(a + quadrant pi/2): odd quadrants take the cosine's polynomial, the third and fourth the minus sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V SinOfQuadrant<S, V>(V a, int quadrant) where S : struct, ISimd<V> where V : struct
    {
        V shifted = S.Fma(a, S.Splat(TwoOverPi), S.Splat(RoundingShift));
        V n = S.Sub(shifted, S.Splat(RoundingShift));
        V r = S.Fma(n, S.Splat(-HalfPi1), a);
        r = S.Fma(n, S.Splat(-HalfPi2), r);
        r = S.Fma(n, S.Splat(-HalfPi3), r);
        V z = S.Mul(r, r);

        V p = S.Splat(2.8324821e-6f);
        p = S.Fma(p, z, S.Splat(-0.000198530601f));
        p = S.Fma(p, z, S.Splat(0.0083333794f));
        p = S.Fma(p, z, S.Splat(-0.166666672f));
        V sin = S.Fma(S.Mul(r, z), p, r);

        V c = S.Splat(2.4432542e-5f);
        c = S.Fma(c, z, S.Splat(-0.00138873106f));
        c = S.Fma(c, z, S.Splat(0.0416666456f));
        c = S.Fma(c, z, S.Splat(-0.5f));
        V cos = S.Fma(c, z, S.Splat(1f));

        V q = S.AddInt(shifted, S.SplatInt(quadrant));
        V isOdd = S.ShiftRightArithmetic(S.ShiftLeft(q, 31), 31);
        V sign = S.And(S.ShiftLeft(q, 30), S.SplatInt(int.MinValue));
        return S.Xor(S.Select(isOdd, cos, sin), sign);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe V HugeSin<S, V>(V x, V y) where S : struct, ISimd<V> where V : struct
    {
        float* xs = stackalloc float[32];
        float* ys = xs + 16;
        S.Store(xs, x);
        S.Store(ys, y);
        for (int i = 0; i < S.Width; i++)
        {
            ys[i] = MathF.Abs(xs[i]) >= LargestReduced ? (float)Math.Sin(xs[i]) : ys[i];
        }
        return S.Load(ys);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe V HugeCos<S, V>(V x, V y) where S : struct, ISimd<V> where V : struct
    {
        float* xs = stackalloc float[32];
        float* ys = xs + 16;
        S.Store(xs, x);
        S.Store(ys, y);
        for (int i = 0; i < S.Width; i++)
        {
            ys[i] = MathF.Abs(xs[i]) >= LargestReduced ? (float)Math.Cos(xs[i]) : ys[i];
        }
        return S.Load(ys);
    }
}
