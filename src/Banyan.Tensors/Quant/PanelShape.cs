using Banyan.Cpu;

namespace Banyan.Quant;

/// <summary>What the integer kernels need to know of a format: a weight is step * scale * (code - zero), or step * scale * code + offset.</summary>
/// <param name="Kernel">Packs and reads panels of the format.</param>
/// <param name="Zero">The code of weight 0.</param>
/// <param name="Levels">What each of 16 codes stands for, around <paramref name="Zero"/>; null: itself.</param>
internal sealed record PanelShape(PanelKernel Kernel, int Zero = 0, sbyte[]? Levels = null);

/// <summary>A block taken apart.</summary>
internal unsafe struct BlockCodes
{
    /// <summary>One byte for each number, in order.</summary>
    public fixed byte Codes[256];

    /// <summary>Scales of 16 or 32 numbers each.</summary>
    public fixed sbyte Scales[16];

    /// <summary>What <see cref="Offset"/> is multiplied by, as many.</summary>
    public fixed byte Minima[16];

    /// <summary>The block's step and offset, in half precision.</summary>
    public ushort Step, Offset;

    /// <summary>The step where halves do not reach.</summary>
    public float WideStep;

    /// <summary>16 bytes: number j in the low four bits of byte j, number j + 16 in the high ones.</summary>
    public static void Nibbles(byte* from, byte* to)
    {
        for (int i = 0; i < 4; i++)
        {
            uint word = *(uint*)(from + 4 * i);
            (((uint*)to)[i], ((uint*)to)[i + 4]) = (word & 0x0F0F0F0F, word >> 4 & 0x0F0F0F0F);
        }
    }
}
