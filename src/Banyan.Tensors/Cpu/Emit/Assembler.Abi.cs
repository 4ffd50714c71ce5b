namespace Banyan.Cpu.Emit;

/// <summary>
/// How a function begins and ends. It takes one pointer, found in <c>rdi</c> after <see cref="Enter"/>, and may use rax, rcx, rdx, rsi, rdi,
/// r8 to r11 and all vector registers: what Linux (System V) gives away; on Windows, rdi, rsi and xmm6 to xmm15 are the caller's and are saved.
/// </summary>
internal sealed partial class Assembler
{
    private const int FirstSaved = 6, Saved = 10, FrameBytes = 16 * Saved + 8;   // 8 more keep the stack aligned

    /// <summary>The beginning of a function.</summary>
    public void Enter(bool windows)
    {
        if (!windows)
        {
            return;
        }
        Push(Reg.Rdi);
        Push(Reg.Rsi);
        Sub(Reg.Rsp, FrameBytes);
        for (int i = 0; i < Saved; i++)
        {
            Aligned128(0x29, FirstSaved + i, new Mem(Reg.Rsp, 16 * i));
        }
        Mov(Reg.Rdi, Reg.Rcx);
    }

    /// <summary>The end: the upper halves of the vector registers are cleared, since code with narrower vectors is slow otherwise.</summary>
    public void Leave(bool windows)
    {
        _code.AddRange([0xC5, 0xF8, 0x77]);   // vzeroupper
        if (windows)
        {
            for (int i = 0; i < Saved; i++)
            {
                Aligned128(0x28, FirstSaved + i, new Mem(Reg.Rsp, 16 * i));
            }
            Add(Reg.Rsp, FrameBytes);
            Pop(Reg.Rsi);
            Pop(Reg.Rdi);
        }
        _code.Add(0xC3);
    }

    // movaps: the older encoding reaches the lower 128 bits, which are what the caller keeps.
    private void Aligned128(byte opcode, int register, Mem memory)
    {
        Rex(wide: false, register, memory.Base);
        _code.Add(0x0F);
        _code.Add(opcode);
        ModRm(register, memory, compression: 1);
    }
}
