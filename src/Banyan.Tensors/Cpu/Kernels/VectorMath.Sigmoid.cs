using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

internal static partial class VectorMath
{
    /// <summary>tanh x = sign(x) t / (t + 2) with t = e^(2|x|) - 1; 1 from |x| = 10 on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V a = S.Abs(x);
        a = S.Select(S.Less(S.Splat(10f), a), S.Splat(10f), a);
        V q = Expm1Reduced<S, V>(S.Add(a, a), out V n);
        V s = PowerOfTwo<S, V>(n);
        V t = S.Fma(q, s, S.Sub(s, S.Splat(1f)));
        return CopySign<S, V>(S.Div(t, S.Add(t, S.Splat(2f))), x);
    }

    /// <summary>1 / (1 + e^-x), with full relative accuracy on both sides.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V z = Exp<S, V>(S.Neg(S.Abs(x)));
        V numerator = S.Select(S.Less(x, S.Zero), z, S.Splat(1f));
        return S.Div(numerator, S.Add(S.Splat(1f), z));
    }

    /// <summary>The sigmoid of x, and of -x in <paramref name="complement"/> (1 - sigmoid(x) without cancellation).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<S, V>(V x, out V complement) where S : struct, ISimd<V> where V : struct
    {
        V z = Exp<S, V>(S.Neg(S.Abs(x)));
        V large = S.Div(S.Splat(1f), S.Add(S.Splat(1f), z));
        V small = S.Mul(z, large);
        V isNegative = S.Less(x, S.Zero);
        complement = S.Select(isNegative, large, small);
        return S.Select(isNegative, small, large);
    }

    /// <summary>log(1 + e^x) = max(x, 0) + log1p(e^-|x|).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Softplus<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V y = Log1p<S, V>(Exp<S, V>(S.Neg(S.Abs(x))));
        return S.Add(y, S.Select(S.Less(x, S.Zero), S.Zero, x));
    }
}
