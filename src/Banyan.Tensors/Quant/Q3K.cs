using Banyan.Cpu;

namespace Banyan.Quant;

/// <summary>
/// 3 bits in blocks of 256: d (s - 32) q with q from -4 to 3, scale s in 6 bits for each 16. Layout: 32 bytes of high bits (set: nothing is taken off), 64 bytes of low bits, 12 bytes
/// of scales, half d. High bits: bit i / 32 of byte i % 32; low bits as in <see cref="Q2K"/>.
/// </summary>
public sealed class Q3K : BlockFormat
{
    internal Q3K() : base("Q3_K", 11, 256, 110)
    {
    }

    internal override PanelShape Panels { get; } = new(new PanelKernel<NibbleCodes, Sub16>(), Zero: 4);

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        to->Step = *(ushort*)(block + 108);
        for (int g = 0; g < 16; g++)
        {
            to->Scales[g] = (sbyte)(Scale(new ReadOnlySpan<byte>(block + 96, 12), g) - 32);
        }
        Q2K.TwoBits(block + 32, to->Codes);
        for (int i = 0; i < 64; i++)
        {
            ((uint*)to->Codes)[i] |= (((uint*)block)[i % 8] >> i / 8 & 0x01010101) << 2;
        }
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block[108..]);
        for (int g = 0; g < 16; g++)
        {
            float step = d * (Scale(block.Slice(96, 12), g) - 32);
            for (int i = 16 * g; i < 16 * g + 16; i++)
            {
                values[i] = step * ((block[32 + i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3) - ((block[i % 32] >> i / 32 & 1) == 1 ? 0 : 4));
            }
        }
    }

    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<float> scales = stackalloc float[16];
        for (int g = 0; g < 16; g++)
        {
            scales[g] = ScaleSearch.Descent(values.Slice(16 * g, 16), 4);
        }
        float extreme = BlockMath.Extreme(scales), inverse = extreme == 0 ? 0 : -32 / extreme;
        block.Clear();
        BlockMath.WriteHalf(block[108..], BlockMath.Inverse(inverse));
        float d = BlockMath.Half(block[108..]);
        for (int g = 0; g < 16; g++)
        {
            int s = Math.Clamp(BlockMath.Round(inverse * scales[g]), -32, 31);
            SetScale(block.Slice(96, 12), g, s + 32);
            float step = d * s;
            for (int i = 16 * g; i < 16 * g + 16; i++)
            {
                int code = step == 0 ? 4 : Math.Clamp(BlockMath.Round(values[i] / step), -4, 3) + 4;
                block[i % 32] |= (byte)(code >> 2 << i / 32);
                block[32 + i / 128 * 32 + i % 32] |= (byte)((code & 3) << i % 128 / 32 * 2);
            }
        }
    }

    // The low four bits of scales 0 to 7 are the low halves of bytes 0 to 7, of 8 to 15 the high halves; the high two bits of scale g are in byte 8 + g % 4.
    private static int Scale(ReadOnlySpan<byte> bytes, int g) => (bytes[g % 8] >> g / 8 * 4 & 15) | (bytes[8 + g % 4] >> g / 4 * 2 & 3) << 4;

    private static void SetScale(Span<byte> bytes, int g, int scale)
    {
        bytes[g % 8] |= (byte)((scale & 15) << g / 8 * 4);
        bytes[8 + g % 4] |= (byte)(scale >> 4 << g / 4 * 2);
    }
}
