using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Banyan.Cpu.Emit;

/// <summary>Which of the emitted kernels this process may run.</summary>
/// <param name="Bf16">512-bit dot products of bfloat16 (AVX-512 BF16).</param>
/// <param name="Int8">512-bit dot products of bytes (AVX-512 VNNI).</param>
internal readonly record struct EmitFeatures(bool Bf16, bool Int8)
{
    /// <summary>The answer for this process: <c>BANYAN_EMIT=0</c> and every narrower <see cref="Isa"/> switch emitted code off.</summary>
    public static readonly EmitFeatures Current = Isa.Width == 16 && Environment.GetEnvironmentVariable("BANYAN_EMIT") != "0"
        && RuntimeInformation.ProcessArchitecture == Architecture.X64 && X86Base.IsSupported
        ? Read(X86Base.CpuId, Avx512BW.IsSupported)
        : default;

    /// <summary>Reads the processor's answers.</summary>
    /// <param name="cpuId">(leaf, subleaf) to (eax, ebx, ecx, edx).</param>
    /// <param name="vectors">
    /// Whether the runtime uses 512-bit vectors. It has checked what CPUID alone does not say: that the operating system saves the registers.
    /// </param>
    public static EmitFeatures Read(Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> cpuId, bool vectors)
    {
        if (!vectors || cpuId(0, 0).Eax < 7)
        {
            return default;
        }
        (int subleaves, int ebx, int ecx, _) = cpuId(7, 0);
        const int Avx512F = 1 << 16, Avx512Bw = 1 << 30, Avx512Bf16 = 1 << 5, Avx512Vnni = 1 << 11;
        if ((ebx & Avx512F) == 0 || (ebx & Avx512Bw) == 0)
        {
            return default;
        }
        return new EmitFeatures(subleaves >= 1 && (cpuId(7, 1).Eax & Avx512Bf16) != 0, (ecx & Avx512Vnni) != 0);
    }
}
