using Banyan.Cpu.Emit;

namespace Banyan.Tensors.Tests.Cpu;

/// <summary>The bytes of each instruction equal those of the GNU assembler (binutils 2.40), which made the right column.</summary>
public sealed class AssemblerTests
{
    private static string Bytes(Action<Assembler> emit)
    {
        var asm = new Assembler();
        emit(asm);
        return Convert.ToHexString(asm.ToArray()).ToLowerInvariant();
    }

    [Fact]
    public void InstructionsHaveTheBytesOfTheGnuAssembler()
    {
        Assert.Equal("4c8b4f20", Bytes(a => a.Mov(Reg.R9, new Mem(Reg.Rdi, 32))));
        Assert.Equal("4889cf", Bytes(a => a.Mov(Reg.Rdi, Reg.Rcx)));
        Assert.Equal("4d01c8", Bytes(a => a.Add(Reg.R8, Reg.R9)));
        Assert.Equal("4d85c0", Bytes(a => a.Test(Reg.R8)));
        Assert.Equal("57", Bytes(a => a.Push(Reg.Rdi)));
        Assert.Equal("415c", Bytes(a => a.Pop(Reg.R12)));
        Assert.Equal("62617c48106a01", Bytes(a => a.Load(new Zmm(29), new Mem(Reg.Rdx, 64))));
        Assert.Equal("62f17c48109c2434120000", Bytes(a => a.Load(new Zmm(3), new Mem(Reg.Rsp, 0x1234))));
        Assert.Equal("62d17c48114801", Bytes(a => a.Store(new Mem(Reg.R8, 64), new Zmm(1))));
        Assert.Equal("62627d48587601", Bytes(a => a.Broadcast(new Zmm(30), new Mem(Reg.Rsi, 4))));
        Assert.Equal("62a17540efc9", Bytes(a => a.Zero(new Zmm(17))));
        Assert.Equal("62120e4052e4", Bytes(a => a.DotBf16(new Zmm(12), new Zmm(30), new Zmm(28))));
        Assert.Equal("62823d4050e2", Bytes(a => a.DotBytes(new Zmm(20), new Zmm(24), new Zmm(26))));
        Assert.Equal("62817c485bcc", Bytes(a => a.ToFloat(new Zmm(17), new Zmm(28))));
        Assert.Equal("62612c40596210", Bytes(a => a.Multiply(new Zmm(28), new Zmm(26), new Mem(Reg.Rdx, 1024))));
        Assert.Equal("62925d40b8d4", Bytes(a => a.MultiplyAdd(new Zmm(2), new Zmm(20), new Zmm(28))));
        Assert.Equal("62f22d40b85211", Bytes(a => a.MultiplyAdd(new Zmm(2), new Zmm(26), new Mem(Reg.Rdx, 1088))));
    }

    [Theory]
    [InlineData(true, 7, 1 << 16 | 1 << 30, 1, 1 << 5, true, 1 << 11)]
    [InlineData(true, 7, 1 << 16 | 1 << 30, 0, 0, false, 1 << 11)]
    [InlineData(true, 7, 1 << 16 | 1 << 30, 1, 1 << 5, true)]
    [InlineData(false, 7, 1 << 16 | 1 << 30, 1, 1 << 5, false)]   // the operating system does not save the registers, or a switch is set
    [InlineData(true, 6, 1 << 16 | 1 << 30, 1, 1 << 5, false)]    // no leaf 7
    [InlineData(true, 7, 1 << 30, 1, 1 << 5, false)]              // no AVX-512 F
    [InlineData(true, 7, 1 << 16 | 1 << 30, 0, 1 << 5, false)]    // no subleaf 1: what it says is another leaf's
    [InlineData(true, 7, 1 << 16 | 1 << 30, 1, 0, false)]
    public void CpuIdDecides(bool vectors, int leaves, int ebx, int subleaves, int eax, bool bf16, int ecx = 0) =>
        Assert.Equal(new EmitFeatures(bf16, ecx != 0), EmitFeatures.Read((leaf, subleaf) => leaf == 0 ? (leaves, 0, 0, 0) : subleaf == 0 ? (subleaves, ebx, ecx, 0) : (eax, 0, 0, 0), vectors));

    // Linux can call the Windows form through a bridge that moves the argument, and sees that the saved registers come back.
    [Fact]
    public unsafe void TheWindowsFormRunsToo()
    {
        if (!OperatingSystem.IsLinux() || !Bf16Tile.IsAvailable)
        {
            return;
        }
        byte[] bridge = [0x48, 0x89, 0xF9];   // mov rcx, rdi
        var call = (delegate* unmanaged<Bf16TileArgs*, void>)CodeMemory.Publish([.. bridge, .. Bf16Tile.Emit(2, windows: true)]);
        uint* a = stackalloc uint[14], b = stackalloc uint[32];
        float* c = stackalloc float[64];
        (a[0], a[1]) = (0x3F803F80, 0x40004000);   // (1, 1) and (2, 2)
        new Span<uint>(b, 32).Fill(0x3F803F80);
        var args = new Bf16TileArgs { Pairs = 1, A = a, B = b, To = c, ToRow = 128 };
        call(&args);
        Assert.Equal([.. Enumerable.Repeat(2f, 32), .. Enumerable.Repeat(4f, 32)], new Span<float>(c, 64).ToArray());
    }
}
