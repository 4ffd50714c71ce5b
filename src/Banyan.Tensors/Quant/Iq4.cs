using System.Buffers.Binary;
using Banyan.Cpu;

namespace Banyan.Quant;

// 4-bit codes for unevenly spaced numbers, denser around zero. Only read.

/// <summary>4.5 bits in blocks of 32. Layout as <see cref="Q4_0"/>.</summary>
public sealed class Iq4Nl : BlockFormat
{
    internal Iq4Nl() : base("IQ4_NL", 20, 32, 18)
    {
    }

    /// <inheritdoc/>
    public override bool CanQuantize => false;

    internal static ReadOnlySpan<sbyte> Levels => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    internal override PanelShape Panels { get; } = new(new PanelKernel<LevelCodes, Steps>(), Zero: 128, Levels: Levels.ToArray());

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        to->Step = *(ushort*)block;
        BlockCodes.Nibbles(block + 2, to->Codes);
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values) => Put(block[2..], BlockMath.Half(block), values);

    internal static void Put(ReadOnlySpan<byte> codes, float d, Span<float> values)
    {
        for (int j = 0; j < 16; j++)
        {
            values[j] = d * Levels[codes[j] & 15];
            values[j + 16] = d * Levels[codes[j] >> 4];
        }
    }
}

/// <summary>4.25 bits in blocks of 256 with a scale s - 32 in 6 bits for each 32. Layout: half d, 16 bits of high and 4 bytes of low bits of the scales, 8 times 16 bytes.</summary>
public sealed class Iq4Xs : BlockFormat
{
    internal Iq4Xs() : base("IQ4_XS", 23, 256, 136)
    {
    }

    /// <inheritdoc/>
    public override bool CanQuantize => false;

    internal override PanelShape Panels { get; } = new(new PanelKernel<LevelCodes, Sub32>(), Zero: 128, Levels: Iq4Nl.Levels.ToArray());

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        to->Step = *(ushort*)block;
        for (int g = 0; g < 8; g++)
        {
            to->Scales[g] = (sbyte)(((block[4 + g / 2] >> g % 2 * 4 & 15) | (*(ushort*)(block + 2) >> 2 * g & 3) << 4) - 32);
            BlockCodes.Nibbles(block + 8 + 16 * g, to->Codes + 32 * g);
        }
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block);
        int high = BinaryPrimitives.ReadUInt16LittleEndian(block[2..]);
        for (int g = 0; g < 8; g++)
        {
            int scale = (block[4 + g / 2] >> g % 2 * 4 & 15) | (high >> 2 * g & 3) << 4;
            Iq4Nl.Put(block[(8 + 16 * g)..], d * (scale - 32), values.Slice(32 * g, 32));
        }
    }
}
