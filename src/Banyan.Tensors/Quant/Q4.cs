using Banyan.Cpu;

namespace Banyan.Quant;

// Blocks of 32 with one scale: byte j holds number j in its low and number j + 16 in its high four bits.

/// <summary>4 bits: d (q - 8). Layout: half d, 16 bytes.</summary>
public sealed class Q4_0 : BlockFormat
{
    internal Q4_0() : base("Q4_0", 2, 32, 18)
    {
    }

    internal override PanelShape Panels { get; } = new(new PanelKernel<NibbleCodes, Steps>(), Zero: 8);

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        to->Step = *(ushort*)block;
        BlockCodes.Nibbles(block + 2, to->Codes);
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block);
        for (int j = 0; j < 16; j++)
        {
            values[j] = d * ((block[2 + j] & 15) - 8);
            values[j + 16] = d * ((block[2 + j] >> 4) - 8);
        }
    }

    // The number of the largest magnitude becomes -8 exactly: the scale has its sign.
    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        float d = BlockMath.Extreme(values) / -8, inverse = BlockMath.Inverse(d);
        BlockMath.WriteHalf(block, d);
        for (int j = 0; j < 16; j++)
        {
            block[2 + j] = (byte)(Code(values[j], inverse) | Code(values[j + 16], inverse) << 4);
        }
    }

    private static int Code(float value, float inverse) => Math.Min(15, (int)((double)value * inverse + 8.5));
}

/// <summary>4 bits: d q + m. Layout: half d, half m, 16 bytes.</summary>
public sealed class Q4_1 : BlockFormat
{
    internal Q4_1() : base("Q4_1", 3, 32, 20)
    {
    }

    internal override PanelShape Panels { get; } = new(new PanelKernel<NibbleCodes, StepsAndOffsets>());

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        (to->Step, to->Offset) = (*(ushort*)block, *(ushort*)(block + 2));
        BlockCodes.Nibbles(block + 4, to->Codes);
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block), m = BlockMath.Half(block[2..]);
        for (int j = 0; j < 16; j++)
        {
            values[j] = d * (block[4 + j] & 15) + m;
            values[j + 16] = d * (block[4 + j] >> 4) + m;
        }
    }

    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        float min = Min(values), d = (Max(values) - min) / 15, inverse = BlockMath.Inverse(d);
        BlockMath.WriteHalf(block, d);
        BlockMath.WriteHalf(block[2..], min);
        for (int j = 0; j < 16; j++)
        {
            block[4 + j] = (byte)(Code(values[j], min, inverse, 15) | Code(values[j + 16], min, inverse, 15) << 4);
        }
    }

    internal static int Code(float value, float min, float inverse, int max) => Math.Min(max, (int)((value - min) * inverse + 0.5f));

    internal static float Min(ReadOnlySpan<float> values)
    {
        float min = values[0];
        foreach (float v in values)
        {
            min = v < min ? v : min;
        }
        return min;
    }

    internal static float Max(ReadOnlySpan<float> values)
    {
        float max = values[0];
        foreach (float v in values)
        {
            max = v > max ? v : max;
        }
        return max;
    }
}
