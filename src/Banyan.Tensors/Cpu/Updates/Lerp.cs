using System.Runtime.CompilerServices;

namespace Banyan.Cpu;

/// <summary>w += share (g - w), where the "gradient" is the other point.</summary>
internal struct Lerp : IUpdateRule
{
    public float Share;

    public static int StateCount => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Update<S, V>(ref V w, V g, ref V a, ref V b, ref V c) where S : struct, ISimd<V> where V : struct =>
        w = S.Fma(S.Sub(g, w), S.Splat(Share), w);
}
