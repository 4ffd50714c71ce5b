using System.Buffers.Binary;

namespace Banyan.Cpu.Emit;

/// <summary>A general register, by its number.</summary>
internal enum Reg { Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15 }

/// <summary>One of the 32 vector registers of 512 bits.</summary>
internal readonly record struct Zmm(int Index);

/// <summary>The memory at <paramref name="Base"/> plus <paramref name="Displacement"/> bytes.</summary>
internal readonly record struct Mem(Reg Base, int Displacement = 0);

/// <summary>
/// Writes x86-64 machine code: the few instructions that the inner kernels need, vectors of 512 bits only. The encoding is in Intel's
/// Software Developer's Manual, volume 2, chapter 2 (REX prefix, EVEX prefix) and the page of each instruction.
/// </summary>
internal sealed partial class Assembler
{
    private readonly List<byte> _code = [];

    /// <summary>The bytes so far.</summary>
    public byte[] ToArray() => [.. _code];

    /// <summary>The place of the next instruction, as the target of a jump back.</summary>
    public int Here => _code.Count;

    /// <summary>dst = 64 bits of memory.</summary>
    public void Mov(Reg dst, Mem src) => Legacy(0x8B, (int)dst, src);

    /// <summary>dst = src.</summary>
    public void Mov(Reg dst, Reg src) => Registers(0x89, (int)src, dst);

    /// <summary>dst += src.</summary>
    public void Add(Reg dst, Reg src) => Registers(0x01, (int)src, dst);

    /// <summary>dst += a constant.</summary>
    public void Add(Reg dst, int value)
    {
        Registers(0x81, 0, dst);
        Int32(value);
    }

    /// <summary>dst -= a constant; the zero flag says whether it became 0.</summary>
    public void Sub(Reg dst, int value)
    {
        Registers(0x81, 5, dst);
        Int32(value);
    }

    /// <summary>Sets the zero flag where the register is 0.</summary>
    public void Test(Reg reg) => Registers(0x85, (int)reg, reg);

    /// <summary>Pushes a register.</summary>
    public void Push(Reg reg) => Short(0x50, reg);

    /// <summary>Pops a register.</summary>
    public void Pop(Reg reg) => Short(0x58, reg);

    /// <summary>Jumps back where the last result was not 0.</summary>
    public void JumpIfNotZero(int target) => Jump([0x0F, 0x85], target);

    /// <summary>Jumps ahead where the last result was 0; <see cref="Bind"/> sets the target.</summary>
    public int JumpIfZero() => JumpAhead([0x0F, 0x84]);

    /// <summary>Jumps ahead; <see cref="Bind"/> sets the target.</summary>
    public int JumpAhead() => JumpAhead([0xE9]);

    /// <summary>A jump made before comes here.</summary>
    public void Bind(int jump)
    {
        Span<byte> distance = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(distance, _code.Count - jump);
        for (int i = 0; i < 4; i++)
        {
            _code[jump - 4 + i] = distance[i];
        }
    }

    private void Jump(ReadOnlySpan<byte> opcode, int target)
    {
        _code.AddRange(opcode);
        Int32(target - (_code.Count + 4));
    }

    private int JumpAhead(ReadOnlySpan<byte> opcode)
    {
        _code.AddRange(opcode);
        Int32(0);
        return _code.Count;
    }

    private void Short(byte opcode, Reg reg)
    {
        if ((int)reg >= 8)
        {
            _code.Add(0x41);
        }
        _code.Add((byte)(opcode + ((int)reg & 7)));
    }

    private void Legacy(byte opcode, int reg, Mem memory)
    {
        Rex(wide: true, reg, memory.Base);
        _code.Add(opcode);
        ModRm(reg, memory, compression: 1);
    }

    private void Registers(byte opcode, int reg, Reg rm)
    {
        Rex(wide: true, reg, rm);
        _code.Add(opcode);
        _code.Add((byte)(0xC0 | ((reg & 7) << 3) | ((int)rm & 7)));
    }

    private void Rex(bool wide, int reg, Reg rm)
    {
        int rex = 0x40 | (wide ? 8 : 0) | (reg >= 8 ? 4 : 0) | ((int)rm >= 8 ? 1 : 0);
        if (rex != 0x40)
        {
            _code.Add((byte)rex);
        }
    }

    // A displacement that is a small multiple of what the instruction reads takes one byte ("disp8*N"), others four.
    private void ModRm(int reg, Mem memory, int compression)
    {
        bool small = memory.Displacement % compression == 0 && memory.Displacement / compression is >= sbyte.MinValue and <= sbyte.MaxValue;
        int rm = (int)memory.Base & 7;
        _code.Add((byte)((small ? 0x40 : 0x80) | ((reg & 7) << 3) | rm));
        if (rm == 4)
        {
            _code.Add(0x24);   // rsp and r12 as a base need the second byte: no index
        }
        if (small)
        {
            _code.Add((byte)(memory.Displacement / compression));
        }
        else
        {
            Int32(memory.Displacement);
        }
    }

    private void Int32(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        _code.AddRange(bytes);
    }
}
