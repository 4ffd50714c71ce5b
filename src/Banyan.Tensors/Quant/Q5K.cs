using Banyan.Cpu;

namespace Banyan.Quant;

/// <summary>As <see cref="Q4K"/> with a fifth bit. Layout: half d, half m, 12 bytes of scales and minima, 32 bytes of high bits (bit g of byte i is that of number 32 g + i), 128 bytes.</summary>
public sealed class Q5K : BlockFormat
{
    internal Q5K() : base("Q5_K", 13, 256, 176)
    {
    }

    internal override PanelShape Panels { get; } = new(new PanelKernel<SixBitCodes, Sub32AndMinima>());

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        Q4K.Scales(block, to);
        Q4K.FourBits(block + 48, to->Codes);
        for (int i = 0; i < 64; i++)
        {
            ((uint*)to->Codes)[i] |= (((uint*)(block + 16))[i % 8] >> i / 8 & 0x01010101) << 4;
        }
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block), m = BlockMath.Half(block[2..]);
        for (int g = 0; g < 8; g++)
        {
            float step = d * Q4K.Scale(block.Slice(4, 12), g), offset = m * Q4K.Minimum(block.Slice(4, 12), g);
            for (int i = 0; i < 32; i++)
            {
                values[32 * g + i] = step * ((block[48 + g / 2 * 32 + i] >> g % 2 * 4 & 15) | (block[16 + i] >> g & 1) << 4) - offset;
            }
        }
    }

    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[256];
        Q4K.Choose(values, block, codes, 31, first: -0.5f, step: 0.1f, steps: 15);
        for (int i = 0; i < 256; i++)
        {
            block[16 + i % 32] |= (byte)(codes[i] >> 4 << i / 32);
            block[48 + i / 64 * 32 + i % 32] |= (byte)((codes[i] & 15) << i / 32 % 2 * 4);
        }
    }
}
