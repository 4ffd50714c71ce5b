using System.Runtime.Intrinsics;

namespace Banyan.Cpu;

/// <summary>Half precision to float32, 16 at once: .NET has no instruction for it.</summary>
internal static unsafe class Halves
{
    /// <summary>Finite numbers.</summary>
    public static Vector512<float> Load(ushort* from)
    {
        (Vector256<uint> a, Vector256<uint> b) = Vector256.Widen(Vector256.Load(from));
        var v = Vector512.Create(a, b);
        // The exponents' biases differ by 112; a product makes subnormal numbers right too.
        Vector512<float> magnitude = ((v & Vector512.Create(0x7FFFu)) << 13).AsSingle() * Vector512.Create(BitConverter.UInt32BitsToSingle((127 + 112) << 23));
        return (magnitude.AsUInt32() | ((v & Vector512.Create(0x8000u)) << 16)).AsSingle();
    }
}
