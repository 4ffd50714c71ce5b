using System.Buffers.Binary;

namespace Banyan.Quant;

// Four magnitudes at a time from a code book. Only read.

/// <summary>3.06 bits: for each 4 numbers an entry of 256, for each 32 four times seven signs and a scale (0.5 + s) / 2. Layout: half d, 64 bytes, 8 times 32 bits.</summary>
public sealed class Iq3Xxs : BlockFormat
{
    internal Iq3Xxs() : base("IQ3_XXS", 18, 256, 98)
    {
    }

    /// <inheritdoc/>
    public override bool CanQuantize => false;

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block);
        sbyte[] book = CodeBooks.Get("iq3xxs");
        for (int k = 0; k < 64; k++)
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(block[(66 + k / 8 * 4)..]);
            float step = d * (0.5f + (word >> 28)) * 0.5f;
            int signs = CodeBooks.Signs((int)(word >> k % 8 / 2 * 7 & 127));
            Iq2Xxs.Put(book, block[2 + k], signs >> k % 2 * 4, step, values.Slice(4 * k, 4));
        }
    }
}

/// <summary>3.44 bits: for each 4 numbers an entry of 512, all signs, for each 32 a scale 1 + 2 s. Layout: half d, 64 bytes, 8 bytes of high bits, 32 bytes of signs, 4 bytes of scales.</summary>
public sealed class Iq3S : BlockFormat
{
    internal Iq3S() : base("IQ3_S", 21, 256, 110)
    {
    }

    /// <inheritdoc/>
    public override bool CanQuantize => false;

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block);
        sbyte[] book = CodeBooks.Get("iq3s");
        for (int k = 0; k < 64; k++)
        {
            int entry = block[2 + k] | (block[66 + k / 8] >> k % 8 & 1) << 8;
            float step = d * (1 + 2 * (block[106 + k / 16] >> k / 8 % 2 * 4 & 15));
            Iq2Xxs.Put(book, entry, block[74 + k / 2] >> k % 2 * 4, step, values.Slice(4 * k, 4));
        }
    }
}
