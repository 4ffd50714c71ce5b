using System.Buffers.Binary;

namespace Banyan.Quant;

/// <summary>What several formats need.</summary>
internal static class BlockMath
{
    public static float Half(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    public static void WriteHalf(Span<byte> bytes, float value) => BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)value);

    /// <summary>The number of the largest magnitude, with its sign: the first where several are.</summary>
    public static float Extreme(ReadOnlySpan<float> values)
    {
        float extreme = 0;
        foreach (float v in values)
        {
            extreme = MathF.Abs(v) > MathF.Abs(extreme) ? v : extreme;
        }
        return extreme;
    }

    /// <summary>The nearest whole number, halves away from zero.</summary>
    public static int Round(float value) => (int)MathF.Round(value, MidpointRounding.AwayFromZero);

    public static float Inverse(float value) => value == 0 ? 0 : 1 / value;
}
