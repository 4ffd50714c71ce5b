namespace Banyan.Cpu;

/// <summary>
/// An 8-bit float: a sign, exponent bits with a bias, and mantissa bits, with subnormals; and what becomes of NaN and of numbers beyond the largest
/// (OCP 8-bit Floating Point Specification; the fnuz forms: Noune et al., arXiv:2206.02915).
/// </summary>
internal sealed class Float8Format
{
    public static readonly Float8Format E4M3FN = new(mantissaBits: 3, bias: 7, largest: 0x7E, overflow: 0x7E, nan: 0x7F);
    public static readonly Float8Format E5M2 = new(mantissaBits: 2, bias: 15, largest: 0x7B, overflow: 0x7C, nan: 0x7F);
    public static readonly Float8Format E4M3FNUZ = new(mantissaBits: 3, bias: 8, largest: 0x7F, overflow: 0x80, nan: 0x80);
    public static readonly Float8Format E5M2FNUZ = new(mantissaBits: 2, bias: 16, largest: 0x7F, overflow: 0x80, nan: 0x80);

    private readonly int _mantissaBits, _bias, _largest, _overflow, _nan;
    private readonly float[] _values = new float[256];

    private Float8Format(int mantissaBits, int bias, int largest, int overflow, int nan)
    {
        (_mantissaBits, _bias, _largest, _overflow, _nan) = (mantissaBits, bias, largest, overflow, nan);
        for (int code = 0; code < 256; code++)
        {
            _values[code] = ValueOf(code);
        }
    }

    // The fnuz forms have NaN where -0 would be, so neither a negative zero nor a sign of NaN.
    private bool IsUnsignedZero => _nan == 0x80;

    public float Decode(byte code) => _values[code];

    public byte Encode(float x)
    {
        if (float.IsNaN(x))
        {
            return (byte)_nan;
        }
        int sign = float.IsNegative(x) ? 0x80 : 0, code = Magnitude(Math.Abs((double)x));
        return code == 0 && IsUnsignedZero ? (byte)0 : (byte)(sign | code);
    }

    // The codes of the positive numbers are in their order, so that a mantissa rounded up carries into the exponent by itself.
    private int Magnitude(double x)
    {
        if (double.IsInfinity(x) || x > 1e6)
        {
            return _overflow;
        }
        int exponent = x == 0 ? 1 - _bias : Math.Max(Math.ILogB(x), 1 - _bias);
        int code = ((exponent + _bias - 1) << _mantissaBits) + (int)Math.Round(Math.ScaleB(x, _mantissaBits - exponent), MidpointRounding.ToEven);
        return code > _largest ? _overflow : code;
    }

    private float ValueOf(int code)
    {
        int magnitude = code & 0x7F, exponent = magnitude >> _mantissaBits, mantissa = magnitude & ((1 << _mantissaBits) - 1);
        if (IsUnsignedZero ? code == 0x80 : magnitude > _largest)
        {
            return magnitude == _overflow ? code < 128 ? float.PositiveInfinity : float.NegativeInfinity : float.NaN;
        }
        double value = exponent == 0
            ? Math.ScaleB(mantissa, 1 - _bias - _mantissaBits)
            : Math.ScaleB((1 << _mantissaBits) + mantissa, exponent - _bias - _mantissaBits);
        return (float)(code < 128 ? value : -value);
    }
}
