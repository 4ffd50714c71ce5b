using Banyan.Cpu;

namespace Banyan;

/// <summary>8-bit float with 4 exponent and 3 mantissa bits, no infinity (OCP E4M3): up to 448. Weights and activations of fp8 models.</summary>
/// <param name="Bits">The code.</param>
public readonly record struct Float8E4M3FN(byte Bits)
{
    /// <summary>Exact widening.</summary>
    public static implicit operator float(Float8E4M3FN x) => Float8Format.E4M3FN.Decode(x.Bits);

    /// <summary>Rounds to nearest, ties to even; beyond 448, infinity included, it stays at 448. NaN stays NaN.</summary>
    public static explicit operator Float8E4M3FN(float x) => new(Float8Format.E4M3FN.Encode(x));
}

/// <summary>8-bit float with 5 exponent and 2 mantissa bits and infinities (OCP E5M2): up to 57344. Gradients of fp8 training.</summary>
/// <param name="Bits">The code.</param>
public readonly record struct Float8E5M2(byte Bits)
{
    /// <summary>Exact widening.</summary>
    public static implicit operator float(Float8E5M2 x) => Float8Format.E5M2.Decode(x.Bits);

    /// <summary>Rounds to nearest, ties to even; overflows to infinity. NaN stays NaN.</summary>
    public static explicit operator Float8E5M2(float x) => new(Float8Format.E5M2.Encode(x));
}

/// <summary>E4M3 with one zero, one NaN (code 128) and no infinity: up to 240.</summary>
/// <param name="Bits">The code.</param>
public readonly record struct Float8E4M3FNUZ(byte Bits)
{
    /// <summary>Exact widening.</summary>
    public static implicit operator float(Float8E4M3FNUZ x) => Float8Format.E4M3FNUZ.Decode(x.Bits);

    /// <summary>Rounds to nearest, ties to even; overflows to NaN.</summary>
    public static explicit operator Float8E4M3FNUZ(float x) => new(Float8Format.E4M3FNUZ.Encode(x));
}

/// <summary>E5M2 with one zero, one NaN (code 128) and no infinity: up to 57344.</summary>
/// <param name="Bits">The code.</param>
public readonly record struct Float8E5M2FNUZ(byte Bits)
{
    /// <summary>Exact widening.</summary>
    public static implicit operator float(Float8E5M2FNUZ x) => Float8Format.E5M2FNUZ.Decode(x.Bits);

    /// <summary>Rounds to nearest, ties to even; overflows to NaN.</summary>
    public static explicit operator Float8E5M2FNUZ(float x) => new(Float8Format.E5M2FNUZ.Encode(x));
}

/// <summary>A power of two, 2^(Bits - 127); code 255 is NaN. The scale of a block in OCP microscaling formats.</summary>
/// <param name="Bits">The code.</param>
public readonly record struct Float8E8M0FNU(byte Bits)
{
    /// <summary>Exact widening.</summary>
    public static implicit operator float(Float8E8M0FNU x) => x.Bits == 255 ? float.NaN : (float)Math.ScaleB(1.0, x.Bits - 127);

    /// <summary>The nearest power of two of |x|, the mean of two going up; 2^-127 at least, NaN from 1.5 * 2^127 on.</summary>
    public static explicit operator Float8E8M0FNU(float x)
    {
        uint bits = BitConverter.SingleToUInt32Bits(x) & 0x7FFF_FFFF, exponent = bits >> 23, fraction = bits & 0x7F_FFFF;
        // Half of the way to the next power rounds up, but for subnormals, whose power below has the even code 0.
        bool up = exponent < 255 && fraction >= (exponent == 0 ? 0x40_0001u : 0x40_0000u);
        return new((byte)(exponent + (up ? 1 : 0)));
    }
}
