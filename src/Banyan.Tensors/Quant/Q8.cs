using Banyan.Cpu;

namespace Banyan.Quant;

/// <summary>8 bits: d q. Layout: half d, 32 signed bytes.</summary>
public sealed class Q8_0 : BlockFormat
{
    internal Q8_0() : base("Q8_0", 8, 32, 34)
    {
    }

    internal override PanelShape Panels { get; } = new(new PanelKernel<ByteCodes, Steps>(), Zero: 128);

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        to->Step = *(ushort*)block;
        for (int i = 0; i < 8; i++)
        {
            ((uint*)to->Codes)[i] = *(uint*)(block + 2 + 4 * i) ^ 0x80808080;
        }
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block);
        for (int j = 0; j < 32; j++)
        {
            values[j] = (sbyte)block[2 + j] * d;
        }
    }

    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        float d = MathF.Abs(BlockMath.Extreme(values)) / 127, inverse = BlockMath.Inverse(d);
        BlockMath.WriteHalf(block, d);
        for (int j = 0; j < 32; j++)
        {
            block[2 + j] = (byte)(sbyte)BlockMath.Round(values[j] * inverse);
        }
    }
}
