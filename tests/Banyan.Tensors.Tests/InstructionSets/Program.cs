using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Banyan.Cpu;

namespace Banyan.Tensors.Tests.InstructionSets;

/// <summary>The child of <see cref="InstructionSetTests"/>: says what the processor seems to have, then the digest of every kernel.</summary>
internal static class Program
{
    private static void Main()
    {
        Console.WriteLine(Features());
        foreach (string line in KernelDigests.All())
        {
            Console.WriteLine(line);
        }
    }

    /// <summary>What <c>IsSupported</c> says in this process, and the width that the kernels chose.</summary>
    internal static string Features() =>
        $"width={Isa.Width} avx512={Avx512F.IsSupported} avx2={Avx2.IsSupported} fma={Fma.IsSupported} vector128={Vector128.IsHardwareAccelerated}";
}
