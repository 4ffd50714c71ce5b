using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

// Activation functions and their derivatives. s = sigmoid, Phi and phi = the normal distribution function and density.
internal static partial class VectorMath
{
    private const float TwoSqrtTwoOverPi = 1.59576917f;
    private const float GeluCubic = 0.044715f;
    private const float QuickGeluScale = 1.702f;

    /// <summary>x Phi(x) (Hendrycks and Gimpel 2016); NaN at both infinities, as PyTorch's vector code has it (x - x is 0, or there NaN).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V GeluErf<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Fma(x, NormalCdf<S, V>(x, out _), S.Sub(x, x));

    /// <summary>Phi(x) + x phi(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V GeluErfGrad<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V cdf = NormalCdf<S, V>(x, out V density);
        return S.Fma(Clamp<S, V>(x, -20f, 20f), density, cdf);
    }

    /// <summary>x (1 + tanh u) / 2 = x s(2u) with u = sqrt(2/pi) (x + 0.044715 x^3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V GeluTanh<S, V>(V x) where S : struct, ISimd<V> where V : struct =>
        S.Mul(x, Sigmoid<S, V>(GeluTanhArgument<S, V>(x)));

    /// <summary>s(2u) + x s(2u) s(-2u) 2u'.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V GeluTanhGrad<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        // Beyond 20 the second term is 0 in float32; the limit keeps its factors finite.
        V limited = Clamp<S, V>(x, -20f, 20f);
        V s = Sigmoid<S, V>(GeluTanhArgument<S, V>(limited), out V complement);
        V square = S.Mul(limited, limited);
        V slope = S.Fma(square, S.Splat(3f * GeluCubic * TwoSqrtTwoOverPi), S.Splat(TwoSqrtTwoOverPi));
        return S.Fma(S.Mul(S.Mul(s, complement), limited), slope, s);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V GeluTanhArgument<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V factor = S.Fma(S.Mul(x, x), S.Splat(GeluCubic * TwoSqrtTwoOverPi), S.Splat(TwoSqrtTwoOverPi));
        return S.Mul(x, factor);
    }

    /// <summary>x s(1.702 x) (CLIP).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V QuickGelu<S, V>(V x) where S : struct, ISimd<V> where V : struct =>
        S.Mul(x, Sigmoid<S, V>(S.Mul(x, S.Splat(QuickGeluScale))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V QuickGeluGrad<S, V>(V x) where S : struct, ISimd<V> where V : struct =>
        SwishGrad<S, V>(Clamp<S, V>(x, -100f, 100f), S.Splat(QuickGeluScale));

    /// <summary>x s(x), also called swish.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Silu<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Mul(x, Sigmoid<S, V>(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V SiluGrad<S, V>(V x) where S : struct, ISimd<V> where V : struct =>
        SwishGrad<S, V>(Clamp<S, V>(x, -120f, 120f), S.Splat(1f));

    /// <summary>The derivative of x s(bx): s(bx) (1 + b x s(-bx)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V SwishGrad<S, V>(V x, V b) where S : struct, ISimd<V> where V : struct
    {
        V bx = S.Mul(b, x);
        V s = Sigmoid<S, V>(bx, out V complement);
        return S.Fma(S.Mul(bx, complement), s, s);
    }

    /// <summary>x tanh(softplus(x)) = x w / (w + 2) with w = n (n + 2), n = e^x (Misra 2019).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Mish<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V n = Exp<S, V>(S.Select(S.Less(S.Splat(20f), x), S.Splat(20f), x));
        V w = S.Mul(n, S.Add(n, S.Splat(2f)));
        return S.Mul(x, S.Div(w, S.Add(w, S.Splat(2f))));
    }

    /// <summary>w / (w + 2) + 4 x n (1 + n) / (w + 2)^2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V MishGrad<S, V>(V x) where S : struct, ISimd<V> where V : struct
    {
        V limited = Clamp<S, V>(x, -120f, 20f);
        V n = Exp<S, V>(limited);
        V w = S.Mul(n, S.Add(n, S.Splat(2f)));
        V r = S.Div(S.Splat(1f), S.Add(w, S.Splat(2f)));
        V second = S.Mul(S.Mul(S.Mul(n, S.Add(n, S.Splat(1f))), r), r);
        return S.Fma(S.Mul(limited, S.Splat(4f)), second, S.Mul(w, r));
    }
}
