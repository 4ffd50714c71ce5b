using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>
/// Rare functions: every lane in double precision, rounded once. Slower than a vector polynomial, exact to half a unit, and the same bits in
/// every width.
/// </summary>
internal static unsafe class PerLane
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static V Unary<F, S, V>(V x) where F : struct, IUnary where S : struct, ISimd<V> where V : struct
    {
        float* lanes = stackalloc float[16];
        S.Store(lanes, x);
        for (int i = 0; i < S.Width; i++)
        {
            lanes[i] = (float)F.Apply(lanes[i]);
        }
        return S.Load(lanes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static V Binary<F, S, V>(V a, V b) where F : struct, IBinary where S : struct, ISimd<V> where V : struct
    {
        float* lanes = stackalloc float[32];
        float* other = lanes + 16;
        S.Store(lanes, a);
        S.Store(other, b);
        for (int i = 0; i < S.Width; i++)
        {
            lanes[i] = (float)F.Apply((double)lanes[i], other[i]);
        }
        return S.Load(lanes);
    }
}
