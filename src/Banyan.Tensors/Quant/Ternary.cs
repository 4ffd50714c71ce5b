namespace Banyan.Quant;

// d q with q of -1, 0, 1, for models trained so (BitNet).

/// <summary>1.69 bits in blocks of 256: five numbers in a byte as a fraction in base 3, read from the top by multiplication. Layout: 48 bytes of five, 4 bytes of four, half d.</summary>
public sealed class Tq1_0 : BlockFormat
{
    internal Tq1_0() : base("TQ1_0", 34, 256, 54)
    {
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block[52..]);
        for (int i = 0; i < 256; i++)
        {
            (int at, int digit) = Place(i);
            values[i] = d * (((byte)(block[at] * Power(digit)) * 3 >> 8) - 1);
        }
    }

    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        float d = MathF.Abs(BlockMath.Extreme(values)), inverse = BlockMath.Inverse(d);
        Span<int> sums = stackalloc int[52];
        sums.Clear();
        for (int i = 0; i < 256; i++)
        {
            (int at, int digit) = Place(i);
            sums[at] += (BlockMath.Round(values[i] * inverse) + 1) * Power(4 - digit);
        }
        for (int at = 0; at < 52; at++)
        {
            block[at] = (byte)((sums[at] * 256 + 242) / 243); // rounded up: the digits come back by truncation
        }
        BlockMath.WriteHalf(block[52..], d);
    }

    // Numbers 0 to 159 are in bytes 0 to 31, up to 239 in bytes 32 to 47, the rest in bytes 48 to 51.
    private static (int Byte, int Digit) Place(int i) => i < 160 ? (i % 32, i / 32) : i < 240 ? (32 + (i - 160) % 16, (i - 160) / 16) : (48 + (i - 240) % 4, (i - 240) / 4);

    private static int Power(int digit) => digit switch { 0 => 1, 1 => 3, 2 => 9, 3 => 27, _ => 81 };
}

/// <summary>2.06 bits in blocks of 256. Layout: 64 bytes (as the codes of <see cref="Q2K"/>), half d.</summary>
public sealed class Tq2_0 : BlockFormat
{
    internal Tq2_0() : base("TQ2_0", 35, 256, 66)
    {
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block[64..]);
        for (int i = 0; i < 256; i++)
        {
            values[i] = d * ((block[i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3) - 1);
        }
    }

    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        float d = MathF.Abs(BlockMath.Extreme(values)), inverse = BlockMath.Inverse(d);
        block.Clear();
        for (int i = 0; i < 256; i++)
        {
            block[i / 128 * 32 + i % 32] |= (byte)(BlockMath.Round(values[i] * inverse) + 1 << i % 128 / 32 * 2);
        }
        BlockMath.WriteHalf(block[64..], d);
    }
}
