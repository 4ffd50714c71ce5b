using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Banyan.Tensors.Tests.InstructionSets;

/// <summary>
/// Every instruction-set path gives the same bits: a child process runs the kernels with parts of the set switched off (or with a vector width
/// forced), says what <c>IsSupported</c> says there, and must print the digests of this process.
/// </summary>
public sealed class InstructionSetTests
{
    private static readonly Lazy<string[]> s_here = new(() => [.. KernelDigests.All()]);

    /// <summary>The switch, and what the child must report: "width avx512 avx2 fma vector128".</summary>
    public static TheoryData<string, string> Switches()
    {
        bool avx512 = Avx512F.IsSupported, avx2 = Avx2.IsSupported, fma = Fma.IsSupported, v128 = Vector128.IsHardwareAccelerated;
        string Expect(int width, bool has512, bool has2, bool hasFma, bool has128) => $"width={width} avx512={has512} avx2={has2} fma={hasFma} vector128={has128}";
        int without512 = avx2 && fma ? 8 : v128 ? 4 : 1, without2 = v128 ? 4 : 1;
        return new()
        {
            { "DOTNET_EnableAVX512=0", Expect(without512, false, avx2, fma, v128) },
            { "DOTNET_EnableAVX2=0", Expect(without2, false, false, false, v128) },
            { "DOTNET_EnableHWIntrinsic=0", Expect(1, false, false, false, false) },
            { "BANYAN_EMIT=0", Expect(avx512 ? 16 : without512, avx512, avx2, fma, v128) },
            { "BANYAN_ISA=512", Expect(16, avx512, avx2, fma, v128) },
            { "BANYAN_ISA=256", Expect(8, avx512, avx2, fma, v128) },
            { "BANYAN_ISA=128", Expect(4, avx512, avx2, fma, v128) },
            { "BANYAN_ISA=scalar", Expect(1, avx512, avx2, fma, v128) },
        };
    }

    [Theory]
    [MemberData(nameof(Switches))]
    public void TheBitsAreTheSame(string setting, string features)
    {
        string[] lines = RunChild(setting);
        Assert.Equal(features, lines[0]);
        Assert.Equal(s_here.Value, lines[1..]);
    }

    private static string[] RunChild(string setting)
    {
        string host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        var start = new ProcessStartInfo(host, ["exec", typeof(Program).Assembly.Location]) { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] parts = setting.Split('=');
        start.Environment[parts[0]] = parts[1];
        using Process child = Process.Start(start)!;
        Task<string> error = child.StandardError.ReadToEndAsync();
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, $"the child with {setting} ended with {child.ExitCode}: {error.Result}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
