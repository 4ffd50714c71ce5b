namespace Banyan.Quant;

/// <summary>What the integer kernels need to know of a format: a weight is step * scale * (code - zero), or step * scale * code + offset.</summary>
/// <param name="Bits">Bits that a code takes in a panel: 4, 6 or 8.</param>
internal sealed record PanelShape(int Bits)
{
    /// <summary>The code of weight 0.</summary>
    public int Zero { get; init; }

    /// <summary>Numbers that share a whole-number scale (16 or 32) within a block of 256; 0: none, and blocks are of 32.</summary>
    public int SubScales { get; init; }

    /// <summary>Whether there are offsets: with scales minus step * minimum, else plus the offset.</summary>
    public bool HasOffsets { get; init; }

    /// <summary>Steps are float32 instead of half.</summary>
    public bool WideSteps { get; init; }

    /// <summary>What each of 16 codes stands for (as offset from <see cref="Zero"/>); null: itself.</summary>
    public sbyte[]? Levels { get; init; }

    /// <summary>The largest code.</summary>
    public int Largest => Bits == 8 || Levels is not null ? 255 : Bits == 6 ? 63 : 15;

    /// <summary>Numbers in a block.</summary>
    public int Unit => SubScales > 0 ? 256 : 32;

    /// <summary>Numbers of k that one scale covers.</summary>
    public int Group => SubScales > 0 ? SubScales : 32;
}

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
