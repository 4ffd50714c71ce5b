using Banyan.Cpu;

namespace Banyan.Quant;

/// <summary>
/// 4 bits in blocks of 256: d s q - m t, with scale s and minimum t in 6 bits for each 32. Layout: half d, half m, 12 bytes of scales and minima, 128 bytes of codes: byte 32 c + i holds
/// the numbers 64 c + i and 64 c + 32 + i.
/// </summary>
public sealed class Q4K : BlockFormat
{
    internal Q4K() : base("Q4_K", 12, 256, 144)
    {
    }

    internal override PanelShape Panels { get; } = new(new PanelKernel<NibbleCodes, Sub32AndMinima>());

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        Scales(block, to);
        FourBits(block + 16, to->Codes);
    }

    internal static unsafe void Scales(byte* block, BlockCodes* to)
    {
        (to->Step, to->Offset) = (*(ushort*)block, *(ushort*)(block + 2));
        var bytes = new ReadOnlySpan<byte>(block + 4, 12);
        for (int g = 0; g < 8; g++)
        {
            (to->Scales[g], to->Minima[g]) = ((sbyte)Scale(bytes, g), (byte)Minimum(bytes, g));
        }
    }

    internal static unsafe void FourBits(byte* from, byte* to)
    {
        for (int i = 0; i < 32; i++)
        {
            uint word = ((uint*)from)[i];
            uint* at = (uint*)to + i / 8 * 16 + i % 8;
            (at[0], at[8]) = (word & 0x0F0F0F0F, word >> 4 & 0x0F0F0F0F);
        }
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block), m = BlockMath.Half(block[2..]);
        for (int g = 0; g < 8; g++)
        {
            float step = d * Scale(block.Slice(4, 12), g), offset = m * Minimum(block.Slice(4, 12), g);
            for (int i = 0; i < 32; i++)
            {
                values[32 * g + i] = step * (block[16 + g / 2 * 32 + i] >> g % 2 * 4 & 15) - offset;
            }
        }
    }

    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[256];
        Choose(values, block, codes, 15, first: -1, step: 0.1f, steps: 20);
        for (int g = 0; g < 8; g += 2)
        {
            for (int i = 0; i < 32; i++)
            {
                block[16 + g / 2 * 32 + i] = (byte)(codes[32 * g + i] | codes[32 * g + 32 + i] << 4);
            }
        }
    }

    /// <summary>Writes the scales at the beginning of a block of this form and chooses the codes 0 to <paramref name="max"/>.</summary>
    internal static void Choose(ReadOnlySpan<float> values, Span<byte> block, Span<byte> codes, int max, float first, float step, int steps)
    {
        Span<float> scales = stackalloc float[8], minima = stackalloc float[8], weights = stackalloc float[32];
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<float> x = values.Slice(32 * g, 32);
            float squares = 0;
            foreach (float v in x)
            {
                squares += v * v;
            }
            float level = MathF.Sqrt(squares / 32);
            for (int i = 0; i < 32; i++)
            {
                weights[i] = level + MathF.Abs(x[i]);
            }
            scales[g] = ScaleSearch.WithMinimum(x, weights, max, out minima[g], first, step, steps, absolute: false);
        }
        float largestScale = Q4_1.Max(scales), largestMinimum = Q4_1.Max(minima);
        block.Clear();
        BlockMath.WriteHalf(block, largestScale / 63);
        BlockMath.WriteHalf(block[2..], largestMinimum / 63);
        float d = BlockMath.Half(block), m = BlockMath.Half(block[2..]);
        for (int g = 0; g < 8; g++)
        {
            int s = largestScale > 0 ? Math.Min(63, BlockMath.Round(63 / largestScale * scales[g])) : 0, t = largestMinimum > 0 ? Math.Min(63, BlockMath.Round(63 / largestMinimum * minima[g])) : 0;
            Set(block.Slice(4, 12), g, s, t);
            float width = d * s, offset = m * t;
            for (int i = 32 * g; i < 32 * g + 32; i++)
            {
                codes[i] = (byte)(width == 0 ? 0 : Math.Clamp(BlockMath.Round((values[i] + offset) / width), 0, max));
            }
        }
    }

    // Scales 0 to 3 are the low six bits of bytes 0 to 3, minima 0 to 3 those of bytes 4 to 7. Of 4 to 7 the low four bits are in bytes 8 to 11, the high two above the six.
    internal static int Scale(ReadOnlySpan<byte> bytes, int g) => g < 4 ? bytes[g] & 63 : (bytes[4 + g] & 15) | bytes[g - 4] >> 6 << 4;

    internal static int Minimum(ReadOnlySpan<byte> bytes, int g) => g < 4 ? bytes[4 + g] & 63 : bytes[4 + g] >> 4 | bytes[g] >> 6 << 4;

    private static void Set(Span<byte> bytes, int g, int scale, int minimum)
    {
        if (g < 4)
        {
            bytes[g] |= (byte)scale;
            bytes[4 + g] |= (byte)minimum;
            return;
        }
        bytes[4 + g] |= (byte)((scale & 15) | (minimum & 15) << 4);
        bytes[g - 4] |= (byte)(scale >> 4 << 6);
        bytes[g] |= (byte)(minimum >> 4 << 6);
    }
}
