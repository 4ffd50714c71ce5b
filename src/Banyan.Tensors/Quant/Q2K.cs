using Banyan.Cpu;

namespace Banyan.Quant;

/// <summary>
/// 2 bits in blocks of 256: d s q - m t, with scale s and minimum t in 4 bits for each 16. Layout: 16 bytes (s low, t high), 64 bytes of codes, half d, half m. Byte 32 h + i holds the
/// numbers 128 h + i + 32 k in its bits 2 k.
/// </summary>
public sealed class Q2K : BlockFormat
{
    internal Q2K() : base("Q2_K", 10, 256, 84)
    {
    }

    internal override PanelShape Panels { get; } = new(new PanelKernel<NibbleCodes, Sub16AndMinima>());

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        (to->Step, to->Offset) = (*(ushort*)(block + 80), *(ushort*)(block + 82));
        for (int g = 0; g < 16; g++)
        {
            (to->Scales[g], to->Minima[g]) = ((sbyte)(block[g] & 15), (byte)(block[g] >> 4));
        }
        TwoBits(block + 16, to->Codes);
    }

    internal static unsafe void TwoBits(byte* from, byte* to)
    {
        for (int i = 0; i < 64; i++)
        {
            int half = i / 32, word = i % 32 / 8 * 2, at = i % 8;
            ((uint*)to)[i] = *(uint*)(from + 32 * half + 4 * at) >> word & 0x03030303;
        }
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block[80..]), m = BlockMath.Half(block[82..]);
        for (int i = 0; i < 256; i++)
        {
            byte scale = block[i / 16];
            values[i] = d * (scale & 15) * (block[16 + i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3) - m * (scale >> 4);
        }
    }

    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<float> scales = stackalloc float[16], minima = stackalloc float[16], weights = stackalloc float[16];
        for (int g = 0; g < 16; g++)
        {
            ReadOnlySpan<float> x = values.Slice(16 * g, 16);
            for (int i = 0; i < 16; i++)
            {
                weights[i] = MathF.Abs(x[i]);
            }
            scales[g] = ScaleSearch.WithMinimum(x, weights, 3, out minima[g], first: -0.5f, step: 0.1f, steps: 15, absolute: true);
        }
        float largestScale = Q4_1.Max(scales), largestMinimum = Q4_1.Max(minima);
        block.Clear();
        BlockMath.WriteHalf(block[80..], largestScale / 15);
        BlockMath.WriteHalf(block[82..], largestMinimum / 15);
        float d = BlockMath.Half(block[80..]), m = BlockMath.Half(block[82..]);
        for (int g = 0; g < 16; g++)
        {
            int s = largestScale > 0 ? Math.Min(15, BlockMath.Round(15 / largestScale * scales[g])) : 0, t = largestMinimum > 0 ? Math.Min(15, BlockMath.Round(15 / largestMinimum * minima[g])) : 0;
            block[g] = (byte)(s | t << 4);
            float step = d * s, offset = m * t;
            for (int i = 16 * g; step != 0 && i < 16 * g + 16; i++)
            {
                int code = Math.Clamp(BlockMath.Round((values[i] + offset) / step), 0, 3);
                block[16 + i / 128 * 32 + i % 32] |= (byte)(code << i % 128 / 32 * 2);
            }
        }
    }
}
