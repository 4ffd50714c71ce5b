using System.Buffers.Binary;
using Banyan.Cpu;

namespace Banyan.Quant;

// As the four-bit formats, with the fifth bit of number j as bit j of a 32-bit word.

/// <summary>5 bits: d (q - 16). Layout: half d, 4 bytes of high bits, 16 bytes.</summary>
public sealed class Q5_0 : BlockFormat
{
    internal Q5_0() : base("Q5_0", 6, 32, 22)
    {
    }

    internal override PanelShape Panels { get; } = new(new PanelKernel<SixBitCodes, Steps>(), Zero: 16);

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        to->Step = *(ushort*)block;
        Codes(block + 2, to->Codes);
    }

    internal static unsafe void Codes(byte* from, byte* to)
    {
        BlockCodes.Nibbles(from + 4, to);
        uint high = *(uint*)from;
        for (int i = 0; i < 32; i++)
        {
            to[i] |= (byte)((high >> i & 1) << 4);
        }
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block);
        for (int j = 0; j < 32; j++)
        {
            values[j] = d * (Get(block[2..], j) - 16);
        }
    }

    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        float d = BlockMath.Extreme(values) / -16, inverse = BlockMath.Inverse(d);
        block.Clear();
        BlockMath.WriteHalf(block, d);
        for (int j = 0; j < 32; j++)
        {
            Set(block[2..], j, Math.Min(31, (int)((double)values[j] * inverse + 16.5)));
        }
    }

    internal static int Get(ReadOnlySpan<byte> codes, int j) =>
        (j < 16 ? codes[4 + j] & 15 : codes[4 + j - 16] >> 4) | (int)(BinaryPrimitives.ReadUInt32LittleEndian(codes) >> j & 1) << 4;

    internal static void Set(Span<byte> codes, int j, int code)
    {
        codes[j / 8] |= (byte)(code >> 4 << (j & 7));
        codes[4 + (j & 15)] |= (byte)((code & 15) << (j < 16 ? 0 : 4));
    }
}

/// <summary>5 bits: d q + m. Layout: half d, half m, 4 bytes of high bits, 16 bytes.</summary>
public sealed class Q5_1 : BlockFormat
{
    internal Q5_1() : base("Q5_1", 7, 32, 24)
    {
    }

    internal override PanelShape Panels { get; } = new(new PanelKernel<SixBitCodes, StepsAndOffsets>());

    internal override unsafe void Codes(byte* block, BlockCodes* to)
    {
        (to->Step, to->Offset) = (*(ushort*)block, *(ushort*)(block + 2));
        Q5_0.Codes(block + 4, to->Codes);
    }

    private protected override void Read(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = BlockMath.Half(block), m = BlockMath.Half(block[2..]);
        for (int j = 0; j < 32; j++)
        {
            values[j] = d * Q5_0.Get(block[4..], j) + m;
        }
    }

    private protected override void Write(ReadOnlySpan<float> values, Span<byte> block)
    {
        float min = Q4_1.Min(values), d = (Q4_1.Max(values) - min) / 31, inverse = BlockMath.Inverse(d);
        block.Clear();
        BlockMath.WriteHalf(block, d);
        BlockMath.WriteHalf(block[2..], min);
        for (int j = 0; j < 32; j++)
        {
            Q5_0.Set(block[4..], j, Q4_1.Code(values[j], min, inverse, 31));
        }
    }
}
