using Banyan.Cpu;

namespace Banyan.Quant;

/// <summary>
/// 6 bits in blocks of 256: d s (q - 32), scale s a signed byte for each 16. Layout: 128 bytes of low bits, 64 bytes of high bits, 16 scales, half d. In each half of 128 numbers, byte
/// i of 64 low bytes holds the numbers i and i + 64, and byte i of 32 high bytes the numbers i + 32 k in its bits 2 k.
/// </summary>
public sealed class Q6K : BlockFormat
{
    internal Q6K() : base("Q6_K", 14, 256, 210)
    {
    }

    internal override PanelShape Panels { get; } = new(new PanelKernel<SixBitCodes, Sub16>(), Zero: 32);

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        to->Step = *(ushort*)(block + 208);
        for (int g = 0; g < 16; g++)
        {
            to->Scales[g] = (sbyte)block[192 + g];
        }
        for (int i = 0; i < 64; i++)
        {
            int half = i / 32, at = i % 32;
            uint low = *(uint*)(block + 64 * half + 4 * (at % 16)) >> at / 16 * 4 & 0x0F0F0F0F;
            ((uint*)to->Codes)[i] = low | (*(uint*)(block + 128 + 32 * half + 4 * (at % 8)) >> at / 8 * 2 & 0x03030303) << 4;
        }
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block[208..]);
        for (int i = 0; i < 256; i++)
        {
            int half = i / 128, at = i % 128;
            int code = (block[64 * half + at % 64] >> at / 64 * 4 & 15) | (block[128 + 32 * half + at % 32] >> at / 32 * 2 & 3) << 4;
            values[i] = d * (sbyte)block[192 + i / 16] * (code - 32);
        }
    }

    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<float> scales = stackalloc float[16];
        for (int g = 0; g < 16; g++)
        {
            scales[g] = ScaleSearch.Symmetric(values.Slice(16 * g, 16), 32);
        }
        float extreme = BlockMath.Extreme(scales), inverse = extreme == 0 ? 0 : -128 / extreme;
        block.Clear();
        BlockMath.WriteHalf(block[208..], BlockMath.Inverse(inverse));
        float d = BlockMath.Half(block[208..]);
        for (int g = 0; g < 16; g++)
        {
            sbyte s = (sbyte)Math.Min(127, BlockMath.Round(inverse * scales[g]));
            block[192 + g] = (byte)s;
            float step = d * s;
            for (int i = 16 * g; i < 16 * g + 16; i++)
            {
                int code = step == 0 ? 32 : Math.Clamp(BlockMath.Round(values[i] / step), -32, 31) + 32, half = i / 128, at = i % 128;
                block[64 * half + at % 64] |= (byte)((code & 15) << at / 64 * 4);
                block[128 + 32 * half + at % 32] |= (byte)(code >> 4 << at / 32 * 2);
            }
        }
    }
}
