namespace Banyan.Cpu.Emit;

/// <summary>The instructions on vectors, all with the EVEX prefix, 512 bits wide, without masks.</summary>
internal sealed partial class Assembler
{
    private const int P66 = 1, PF3 = 2;   // the mandatory prefix, as EVEX writes it
    private const int Map0F = 1, Map0F38 = 2;

    /// <summary>dst = 16 values of memory.</summary>
    public void Load(Zmm dst, Mem src) => Vector(Map0F, 0, 0x10, dst, default, src, 64);

    /// <summary>Memory = 16 values.</summary>
    public void Store(Mem dst, Zmm src) => Vector(Map0F, 0, 0x11, src, default, dst, 64);

    /// <summary>All 16 lanes = 4 bytes of memory.</summary>
    public void Broadcast(Zmm dst, Mem src) => Vector(Map0F38, P66, 0x58, dst, default, src, 4);

    /// <summary>dst = 0.</summary>
    public void Zero(Zmm dst) => Vector(Map0F, P66, 0xEF, dst, dst, dst);

    /// <summary>dst (16 float32) += in each lane the sum of two products of bfloat16.</summary>
    public void DotBf16(Zmm dst, Zmm a, Zmm b) => Vector(Map0F38, PF3, 0x52, dst, a, b);

    /// <summary>dst (16 int32) += in each lane the sum of four products of bytes, those of <paramref name="a"/> unsigned, those of <paramref name="b"/> signed.</summary>
    public void DotBytes(Zmm dst, Zmm a, Zmm b) => Vector(Map0F38, P66, 0x50, dst, a, b);

    /// <summary>dst = int32 as float32, rounded.</summary>
    public void ToFloat(Zmm dst, Zmm src) => Vector(Map0F, 0, 0x5B, dst, default, src);

    /// <summary>dst = a * 16 values of memory.</summary>
    public void Multiply(Zmm dst, Zmm a, Mem b) => Vector(Map0F, 0, 0x59, dst, a, b, 64);

    /// <summary>dst += a * b, rounded once.</summary>
    public void MultiplyAdd(Zmm dst, Zmm a, Zmm b) => Vector(Map0F38, P66, 0xB8, dst, a, b);

    /// <summary>dst += a * 16 values of memory, rounded once.</summary>
    public void MultiplyAdd(Zmm dst, Zmm a, Mem b) => Vector(Map0F38, P66, 0xB8, dst, a, b, 64);

    private void Vector(int map, int prefix, byte opcode, Zmm reg, Zmm second, Zmm rm)
    {
        Evex(map, prefix, reg, second, rm.Index >= 16, (rm.Index & 8) != 0);
        _code.Add(opcode);
        _code.Add((byte)(0xC0 | ((reg.Index & 7) << 3) | (rm.Index & 7)));
    }

    private void Vector(int map, int prefix, byte opcode, Zmm reg, Zmm second, Mem memory, int bytes)
    {
        Evex(map, prefix, reg, second, x: false, (int)memory.Base >= 8);
        _code.Add(opcode);
        ModRm(reg.Index, memory, bytes);
    }

    // Register numbers are extended by bits that EVEX stores inverted.
    private void Evex(int map, int prefix, Zmm reg, Zmm second, bool x, bool b)
    {
        const int Bits512 = 0x40;
        _code.Add(0x62);
        _code.Add((byte)(((reg.Index & 8) != 0 ? 0 : 0x80) | (x ? 0 : 0x40) | (b ? 0 : 0x20) | (reg.Index >= 16 ? 0 : 0x10) | map));
        _code.Add((byte)(((~second.Index & 15) << 3) | 4 | prefix));
        _code.Add((byte)(Bits512 | (second.Index >= 16 ? 0 : 8)));
    }
}
