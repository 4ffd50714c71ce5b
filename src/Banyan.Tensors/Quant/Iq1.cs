using System.Buffers.Binary;

namespace Banyan.Quant;

// Eight numbers of -1, 0, 1 at a time from a code book of 2048, all of them moved by an eighth up or down; scale 2 s + 1. Only read.

/// <summary>1.56 bits: for each 32 numbers four entries, one scale, one direction. Layout: half d, 32 bytes, 8 times 16 bits (4 times 3 high bits, 3 bits of scale, direction).</summary>
public sealed class Iq1S : BlockFormat
{
    internal Iq1S() : base("IQ1_S", 19, 256, 50)
    {
    }

    /// <inheritdoc/>
    public override bool CanQuantize => false;

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block);
        for (int k = 0; k < 32; k++)
        {
            int word = BinaryPrimitives.ReadUInt16LittleEndian(block[(34 + k / 4 * 2)..]);
            Put(block[2 + k] | (word >> k % 4 * 3 & 7) << 8, d * (2 * (word >> 12 & 7) + 1), word >= 0x8000, values.Slice(8 * k, 8));
        }
    }

    internal static void Put(int entry, float step, bool down, Span<float> values)
    {
        sbyte[] book = CodeBooks.Get("iq1s");
        for (int i = 0; i < 8; i++)
        {
            values[i] = step * (book[8 * entry + i] + (down ? -0.125f : 0.125f));
        }
    }
}

/// <summary>1.75 bits: for each 8 numbers an entry and a direction, for each 16 a scale. Layout: 32 bytes, 16 bytes (3 high bits and direction, twice), 4 times 16 bits: four scales of 3 bits and a quarter of half d.</summary>
public sealed class Iq1M : BlockFormat
{
    internal Iq1M() : base("IQ1_M", 29, 256, 56)
    {
    }

    /// <inheritdoc/>
    public override bool CanQuantize => false;

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        int bits = 0;
        for (int i = 0; i < 4; i++)
        {
            bits |= Word(block, i) >> 12 << 4 * i;
        }
        float d = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
        for (int k = 0; k < 32; k++)
        {
            int high = block[32 + k / 2] >> k % 2 * 4 & 15, scale = Word(block, k / 8) >> k / 2 % 4 * 3 & 7;
            Iq1S.Put(block[k] | (high & 7) << 8, d * (2 * scale + 1), high >= 8, values.Slice(8 * k, 8));
        }
    }

    private static int Word(ReadOnlySpan<byte> block, int i) => BinaryPrimitives.ReadUInt16LittleEndian(block[(48 + 2 * i)..]);
}
