namespace Banyan.Cpu;

/// <summary>
/// The 256 numbers of the dynamic 8-bit format (Dettmers et al. 2022, arXiv:2110.02861) in [-1, 1] or [0, 1]: for each power of ten from 1e-6 to 1
/// the centres of equal intervals between a tenth of it and itself, twice as many for each larger power; with 0 and 1. Sorted: the code is the index.
/// </summary>
internal sealed class DynamicMap
{
    private const int Powers = 7;

    private readonly float[] _middles = new float[255];     // between neighbours
    private readonly byte[] _first = new byte[1 << 16];     // the code at the low end of all floats with the same upper 16 bits

    /// <summary>For numbers of either sign.</summary>
    public static DynamicMap Signed { get; } = new(isSigned: true);

    /// <summary>For numbers of at least 0.</summary>
    public static DynamicMap Unsigned { get; } = new(isSigned: false);

    private DynamicMap(bool isSigned)
    {
        Values = Fill(isSigned);
        for (int i = 0; i < _middles.Length; i++)
        {
            _middles[i] = (Values[i] + Values[i + 1]) / 2;
        }
        for (int bits = 0; bits < _first.Length; bits++)
        {
            bool isNegative = bits >= 0x8000;
            float low = BitConverter.Int32BitsToSingle(bits << 16 | (isNegative ? 0xFFFF : 0));
            _first[bits] = (byte)Search(low);
        }
    }

    /// <summary>The numbers, sorted.</summary>
    public float[] Values { get; }

    /// <summary>The code of the number nearest to <paramref name="x"/>.</summary>
    public byte Nearest(float x)
    {
        int code = _first[BitConverter.SingleToUInt32Bits(x) >> 16];
        while (code < 255 && x > _middles[code])
        {
            code++;
        }
        return (byte)code;
    }

    private int Search(float x)
    {
        int code = 0;
        while (code < 255 && x > _middles[code])
        {
            code++;
        }
        return code;
    }

    private static float[] Fill(bool isSigned)
    {
        var values = new List<float>(256) { 0, 1 };
        for (int power = 0; power < Powers; power++)
        {
            int count = isSigned ? 1 << power : 2 << power;
            float scale = (float)Math.Pow(10, power - Powers + 1);
            for (int k = 0; k < count; k++)
            {
                float value = (Boundary(k, count) + Boundary(k + 1, count)) / 2 * scale;
                values.Add(value);
                if (isSigned)
                {
                    values.Add(-value);
                }
            }
        }
        return [.. values.Order()];
    }

    // Point i of count + 1 from 0.1 to 1, rounded as torch.linspace: from the nearer end, by one fused step.
    private static float Boundary(int i, int count)
    {
        float step = (1 - 0.1f) / count;
        return i < (count + 1) / 2 ? MathF.FusedMultiplyAdd(step, i, 0.1f) : MathF.FusedMultiplyAdd(-step, count - i, 1);
    }
}
