using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

internal static partial class VectorMath
{
    /// <summary>
    /// x^y with the edge cases of C's pow. Lane by lane in float64, rounded once: powers are rare in models (squares, cubes and roots have
    /// their own ops), and a float32 logarithm would lose the digits that a large exponent magnifies.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static unsafe V Pow<S, V>(V x, V y) where S : struct, ISimd<V> where V : struct
    {
        float* xs = stackalloc float[32];
        float* ys = xs + 16;
        S.Store(xs, x);
        S.Store(ys, y);
        for (int i = 0; i < S.Width; i++)
        {
            xs[i] = (float)Math.Pow(xs[i], ys[i]);
        }
        return S.Load(xs);
    }

    /// <summary>1 / sqrt(x), both steps correctly rounded: inf at 0, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Rsqrt<S, V>(V x) where S : struct, ISimd<V> where V : struct => S.Div(S.Splat(1f), S.Sqrt(x));
}
