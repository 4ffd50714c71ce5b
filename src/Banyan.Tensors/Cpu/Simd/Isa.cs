using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu;

/// <summary>A kernel written once for every vector width: the fields hold its arguments, <see cref="Invoke{S,V}"/> its loop.</summary>
internal interface IKernel
{
    void Invoke<S, V>() where S : struct, ISimd<V> where V : struct;
}

/// <summary>
/// The vector width of this process, chosen once: the widest that the processor has (and the <c>DOTNET_Enable...=0</c> switches leave).
/// <c>BANYAN_ISA=512|256|128|scalar</c> forces another, so that one machine tests every path (a width that the processor lacks is
/// emulated by the runtime: right, and slow).
/// </summary>
internal static class Isa
{
    /// <summary>Floats in one vector: 16, 8, 4 or 1.</summary>
    public static readonly int Width = Choose();

    /// <summary>The name of the path in words, for reports.</summary>
    public static string Name => Width switch { 16 => "512-bit", 8 => "256-bit", 4 => "128-bit", _ => "scalar" };

    /// <summary>Runs a kernel at this process's width.</summary>
    public static void Run<K>(ref K kernel) where K : struct, IKernel, allows ref struct
    {
        // Width is a static readonly: after tiering the JIT keeps one branch.
        if (Width == 16)
        {
            kernel.Invoke<Simd512, Vector512<float>>();
        }
        else if (Width == 8)
        {
            kernel.Invoke<Simd256, Vector256<float>>();
        }
        else if (Width == 4)
        {
            kernel.Invoke<Simd128, Vector128<float>>();
        }
        else
        {
            kernel.Invoke<SimdScalar, float>();
        }
    }

    private static int Choose() => Environment.GetEnvironmentVariable("BANYAN_ISA") switch
    {
        "512" => 16,
        "256" => 8,
        "128" => 4,
        "scalar" => 1,
        _ => Avx512F.IsSupported ? 16 : Avx2.IsSupported && Fma.IsSupported ? 8 : Vector128.IsHardwareAccelerated ? 4 : 1,
    };
}
