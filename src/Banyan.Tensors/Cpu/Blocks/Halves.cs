using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Banyan.Cpu;

/// <summary>Half precision to float32, eight at once: .NET has no instruction for it.</summary>
internal static unsafe class Halves
{
    /// <summary>Finite numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(ushort* from)
    {
        (Vector128<uint> a, Vector128<uint> b) = Vector128.Widen(Vector128.Load(from));
        var v = Vector256.Create(a, b);
        // The exponents' biases differ by 112; a product makes subnormal numbers right too.
        Vector256<float> magnitude = ((v & Vector256.Create(0x7FFFu)) << 13).AsSingle() * Vector256.Create(BitConverter.UInt32BitsToSingle((127 + 112) << 23));
        return (magnitude.AsUInt32() | ((v & Vector256.Create(0x8000u)) << 16)).AsSingle();
    }
}
