using System.Buffers.Binary;

namespace Banyan.Quant;

// Eight magnitudes at a time come from a code book, their signs are stored beside; scale (0.5 + s) / 4. Only read.

/// <summary>2.06 bits: for each 32 numbers four entries of 256, four times seven signs, a scale. Layout: half d, 8 times (4 bytes, 32 bits).</summary>
public sealed class Iq2Xxs : BlockFormat
{
    internal Iq2Xxs() : base("IQ2_XXS", 16, 256, 66)
    {
    }

    /// <inheritdoc/>
    public override bool CanQuantize => false;

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block);
        sbyte[] book = CodeBooks.Get("iq2xxs");
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<byte> group = block.Slice(2 + 8 * g, 8);
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(group[4..]);
            float step = d * (0.5f + (word >> 28)) * 0.25f;
            for (int k = 0; k < 4; k++)
            {
                Put(book, group[k], CodeBooks.Signs((int)(word >> 7 * k & 127)), step, values.Slice(32 * g + 8 * k, 8));
            }
        }
    }

    internal static void Put(sbyte[] book, int entry, int signs, float step, Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            float value = step * book[entry * values.Length + i];
            values[i] = (signs >> i & 1) == 1 ? -value : value;
        }
    }
}

/// <summary>2.31 bits: for each 8 numbers an entry of 512 and seven signs, for each 16 a scale. Layout: half d, 32 times 16 bits, 8 bytes of scales.</summary>
public sealed class Iq2Xs : BlockFormat
{
    internal Iq2Xs() : base("IQ2_XS", 17, 256, 74)
    {
    }

    /// <inheritdoc/>
    public override bool CanQuantize => false;

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block);
        sbyte[] book = CodeBooks.Get("iq2xs");
        for (int k = 0; k < 32; k++)
        {
            int word = BinaryPrimitives.ReadUInt16LittleEndian(block[(2 + 2 * k)..]);
            float step = d * (0.5f + (block[66 + k / 4] >> k / 2 % 2 * 4 & 15)) * 0.25f;
            Iq2Xxs.Put(book, word & 511, CodeBooks.Signs(word >> 9), step, values.Slice(8 * k, 8));
        }
    }
}

/// <summary>2.56 bits: for each 8 numbers an entry of 1024 and eight signs, for each 16 a scale. Layout: half d, 32 bytes, 32 bytes of signs, 8 bytes of high bits, 8 bytes of scales.</summary>
public sealed class Iq2S : BlockFormat
{
    internal Iq2S() : base("IQ2_S", 22, 256, 82)
    {
    }

    /// <inheritdoc/>
    public override bool CanQuantize => false;

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block);
        sbyte[] book = CodeBooks.Get("iq2s");
        for (int k = 0; k < 32; k++)
        {
            int entry = block[2 + k] | (block[66 + k / 4] >> k % 4 * 2 & 3) << 8;
            float step = d * (0.5f + (block[74 + k / 4] >> k / 2 % 2 * 4 & 15)) * 0.25f;
            Iq2Xxs.Put(book, entry, block[34 + k], step, values.Slice(8 * k, 8));
        }
    }
}
