using System.Buffers.Binary;

namespace Banyan.Tests.Cpu.Emit;

/// <summary>
/// Runs emitted machine code without the processor's help: the few instructions that the kernels use, decoded from their bytes by the processor's manual and computed lane by lane. So that
/// every machine checks what 512-bit code would do.
/// </summary>
internal sealed unsafe class Emulator(byte[] code)
{
    private readonly ulong[] _registers = new ulong[16];
    private readonly uint[][] _vectors = [.. Enumerable.Range(0, 32).Select(_ => new uint[16])];
    private int _at;
    private bool _zero;

    /// <summary>Calls the function with one pointer, as Linux does, and comes back when it returns.</summary>
    public void Call(void* argument)
    {
        _registers[7] = (ulong)argument;
        while (Step())
        {
        }
    }

    // False at the end.
    private bool Step()
    {
        byte first = Byte();
        if (first == 0x62)
        {
            Vector();
            return true;
        }
        int rex = 0;
        if ((first & 0xF0) == 0x40)
        {
            (rex, first) = (first, Byte());
        }
        switch (first)
        {
            case 0xC3:
                return false;
            case 0xC5 when Byte() == 0xF8 && Byte() == 0x77:   // vzeroupper: kernels read nothing behind it
                return true;
            case 0x0F:
                byte condition = Byte();
                int near = Int32();
                _at += condition == 0x84 == _zero ? near : 0;
                return condition is 0x84 or 0x85 ? true : throw Unknown(condition);
            case 0xE9:
                int far = Int32();
                _at += far;
                return true;
            default:
                Whole(first, rex);
                return true;
        }
    }

    private void Whole(byte opcode, int rex)
    {
        byte form = Byte();
        int reg = ((form >> 3) & 7) | ((rex & 4) << 1), rm = (form & 7) | ((rex & 1) << 3);
        if (opcode == 0x8B)
        {
            _registers[reg] = *(ulong*)Address(form, rm, 1);
            return;
        }
        Assert(form >> 6 == 3);
        switch (opcode)
        {
            case 0x89:
                _registers[rm] = _registers[reg];
                break;
            case 0x01:
                _registers[rm] += _registers[reg];
                break;
            case 0x85:
                _zero = (_registers[rm] & _registers[reg]) == 0;
                break;
            case 0x81:
                long value = Int32();
                _registers[rm] = (ulong)((long)_registers[rm] + ((form >> 3 & 7) == 5 ? -value : value));
                _zero = _registers[rm] == 0;
                break;
            default:
                throw Unknown(opcode);
        }
    }

    private void Vector()
    {
        byte p0 = Byte(), p1 = Byte(), p2 = Byte(), opcode = Byte(), form = Byte();
        int map = p0 & 7, prefix = p1 & 3;
        int reg = ((form >> 3) & 7) | ((p0 & 0x80) == 0 ? 8 : 0) | ((p0 & 0x10) == 0 ? 16 : 0), second = (~p1 >> 3 & 15) | ((p2 & 8) == 0 ? 16 : 0);
        Assert((p1 & 0x84) == 4 && (p2 & 0xF7) == 0x40);   // 32-bit elements, 512 bits, no mask, no broadcast
        int rm = (form & 7) | ((p0 & 0x20) == 0 ? 8 : 0);
        uint* memory = null;
        if (form >> 6 != 3)
        {
            memory = (uint*)Address(form, rm, (map, opcode) == (2, 0x58) ? 4 : 64);
        }
        uint[] source = form >> 6 == 3 ? _vectors[rm | ((p0 & 0x40) == 0 ? 16 : 0)] : new uint[16], target = _vectors[reg], other = _vectors[second];
        if ((map, opcode) == (1, 0x11))
        {
            target.CopyTo(new Span<uint>(memory, 16));
            return;
        }
        for (int i = 0; memory != null && i < 16; i++)
        {
            source[i] = (map, opcode) == (2, 0x58) ? *memory : memory[i];
        }
        var result = new uint[16];
        for (int i = 0; i < 16; i++)
        {
            result[i] = (map, prefix, opcode) switch
            {
                (1, 0, 0x10) or (2, 1, 0x58) => source[i],
                (1, 1, 0xEF) => other[i] ^ source[i],
                (1, 0, 0x5B) => Bits((int)source[i]),
                (1, 0, 0x59) => Bits(Float(other[i]) * Float(source[i])),
                (2, 1, 0xB8) => Bits(MathF.FusedMultiplyAdd(Float(other[i]), Float(source[i]), Float(target[i]))),
                (2, 1, 0x50) => (uint)Bytes((int)target[i], other[i], source[i]),
                (2, 2, 0x52) => Bits(MathF.FusedMultiplyAdd(Float(other[i] & 0xFFFF0000), Float(source[i] & 0xFFFF0000), MathF.FusedMultiplyAdd(Float(other[i] << 16), Float(source[i] << 16), Float(target[i])))),
                _ => throw Unknown(opcode),
            };
        }
        result.CopyTo(target, 0);
    }

    private static int Bytes(int sum, uint unsigned, uint signed)
    {
        for (int i = 0; i < 32; i += 8)
        {
            sum += (byte)(unsigned >> i) * (sbyte)(signed >> i);
        }
        return sum;
    }

    private byte* Address(byte form, int rm, int scale)
    {
        if ((form & 7) == 4)
        {
            Assert(Byte() == 0x24);
        }
        long displacement = (form >> 6) switch { 1 => (sbyte)Byte() * scale, 2 => Int32(), _ => throw Unknown(form) };
        return (byte*)_registers[rm] + displacement;
    }

    private byte Byte() => code[_at++];

    private int Int32()
    {
        _at += 4;
        return BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(_at - 4));
    }

    private static float Float(uint bits) => BitConverter.UInt32BitsToSingle(bits);

    private static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    private static void Assert(bool holds)
    {
        if (!holds)
        {
            throw new InvalidOperationException("a form of an instruction that no kernel uses");
        }
    }

    private InvalidOperationException Unknown(byte opcode) => new($"no instruction of the kernels: {opcode:x2} at {_at}");
}
