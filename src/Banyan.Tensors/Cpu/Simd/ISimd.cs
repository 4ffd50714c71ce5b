using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Banyan.Cpu;

/// <summary>
/// One vector width of float32 arithmetic. Kernels are written once, generic over <c>(S, V)</c>, and run as 512-, 256-, 128-bit
/// or scalar code; every operation rounds the same way in each width, so the results are equal to the bit.
/// </summary>
/// <remarks>
/// The bit operations (<c>AndInt</c>, <c>ShiftLeft</c>, ...) read the lanes as int32. Masks are lanes of all ones or all zeros.
/// </remarks>
internal interface ISimd<V> where V : struct
{
    static abstract int Width { get; }
    static abstract V Zero { get; }
    static abstract V Splat(float x);
    static abstract V SplatInt(int x);
    static abstract unsafe V Load(float* p);
    static abstract unsafe void Store(float* p, V v);
    static abstract V Add(V a, V b);
    static abstract V Sub(V a, V b);
    static abstract V Mul(V a, V b);
    static abstract V Div(V a, V b);
    /// <summary>a * b + c with one rounding.</summary>
    static abstract V Fma(V a, V b, V c);
    static abstract V Sqrt(V a);
    /// <summary>IEEE 754 minimum: NaN wins, -0 is less than +0.</summary>
    static abstract V Min(V a, V b);
    /// <summary>IEEE 754 maximum: NaN wins.</summary>
    static abstract V Max(V a, V b);
    static abstract V Abs(V a);
    static abstract V Neg(V a);
    /// <summary>Rounds half to even.</summary>
    static abstract V Round(V a);
    static abstract V Floor(V a);
    static abstract V Less(V a, V b);
    static abstract V LessOrEqual(V a, V b);
    static abstract V Equal(V a, V b);
    /// <summary>mask ? a : b, bit by bit.</summary>
    static abstract V Select(V mask, V a, V b);
    static abstract V And(V a, V b);
    static abstract V Or(V a, V b);
    static abstract V Xor(V a, V b);
    static abstract V AddInt(V a, V b);
    static abstract V SubInt(V a, V b);
    static abstract V ShiftLeft(V a, int bits);
    static abstract V ShiftRightLogical(V a, int bits);
    static abstract V ShiftRightArithmetic(V a, int bits);
    /// <summary>float to int32 by truncation, saturating; the result's lanes hold the integer's bits.</summary>
    static abstract V ToInt(V a);
    /// <summary>int32 bits to float.</summary>
    static abstract V FromInt(V a);
    /// <summary>Whether any lane of a mask is set.</summary>
    static abstract bool AnyTrue(V mask);
    /// <summary>Stores past the caches; <paramref name="p"/> is a multiple of the vector's bytes.</summary>
    static abstract unsafe void StoreNonTemporal(float* p, V v);
}
