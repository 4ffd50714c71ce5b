using Banyan.Cpu;

namespace Banyan.Quant;

// 4-bit floats E2M1 (0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives; here doubled, with the scale halved) under a scale that is itself a small float.

/// <summary>OCP MXFP4: 32 floats under a power of two. Layout: the exponent, 16 bytes (number j low, number j + 16 high).</summary>
public sealed class Mxfp4 : BlockFormat
{
    internal Mxfp4() : base("MXFP4", 39, 32, 17)
    {
    }

    /// <summary>Twice the value of each code.</summary>
    internal static ReadOnlySpan<sbyte> Doubled => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    internal override PanelShape Panels { get; } = new(new PanelKernel<LevelCodes, FloatSteps>(), Zero: 128, Levels: Doubled.ToArray());

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        to->WideStep = Scale(block[0]);
        BlockCodes.Nibbles(block + 1, to->Codes);
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = Scale(block[0]);
        for (int j = 0; j < 16; j++)
        {
            values[j] = d * Doubled[block[1 + j] & 15];
            values[j + 16] = d * Doubled[block[1 + j] >> 4];
        }
    }

    // The exponent of the largest number less that of the largest code, 4.
    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        float largest = MathF.Abs(BlockMath.Extreme(values));
        block[0] = (byte)(largest > 0 ? Math.Max(0, (int)MathF.Floor(MathF.Log2(largest)) - 2 + 127) : 0);
        float d = Scale(block[0]);
        for (int j = 0; j < 16; j++)
        {
            block[1 + j] = (byte)(Nearest(values[j], d) | Nearest(values[j + 16], d) << 4);
        }
    }

    // Half of 2^(e - 127), subnormal for the two smallest.
    private static float Scale(byte e) => BitConverter.UInt32BitsToSingle(e < 2 ? 0x00200000u << e : (uint)(e - 1) << 23);

    private static int Nearest(float value, float d)
    {
        int best = 0;
        for (int code = 1; code < 16; code++)
        {
            best = MathF.Abs(d * Doubled[code] - value) < MathF.Abs(d * Doubled[best] - value) ? code : best;
        }
        return best;
    }
}

/// <summary>NVFP4: 64 floats, a scale in E4M3 for each 16. Layout: 4 scales, 32 bytes; in each 16 byte j holds number j low and number j + 8 high. Only read.</summary>
public sealed class Nvfp4 : BlockFormat
{
    internal Nvfp4() : base("NVFP4", 40, 64, 36)
    {
    }

    /// <inheritdoc/>
    public override bool CanQuantize => false;

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        for (int g = 0; g < 4; g++)
        {
            float d = Scale(block[g]);
            for (int j = 0; j < 8; j++)
            {
                values[16 * g + j] = d * Mxfp4.Doubled[block[4 + 8 * g + j] & 15];
                values[16 * g + j + 8] = d * Mxfp4.Doubled[block[4 + 8 * g + j] >> 4];
            }
        }
    }

    // Without sign; the code of NaN counts as zero.
    private static float Scale(byte code)
    {
        int exponent = code >> 3 & 15, mantissa = code & 7;
        return code is 0 or 0x7F ? 0 : (exponent == 0 ? MathF.ScaleB(mantissa, -9) : MathF.ScaleB(1 + mantissa / 8f, exponent - 7)) * 0.5f;
    }
}
