using System.Numerics;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Decimal rounding of the exact value of a float, ties to even, as Python does; .NET rounds ties away from zero.</summary>
internal static class ExactDecimal
{
    /// <summary>value times 10^digits, rounded to a whole number.</summary>
    public static BigInteger Scaled(double value, int digits)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)((bits >> 52) & 0x7FF);
        BigInteger mantissa = (bits & 0xFFFFFFFFFFFFF) | (exponent == 0 ? 0 : 1L << 52);
        exponent = Math.Max(exponent, 1) - 1075;
        BigInteger numerator = mantissa * (exponent > 0 ? BigInteger.One << exponent : 1) * (digits > 0 ? BigInteger.Pow(10, digits) : 1);
        BigInteger denominator = (exponent < 0 ? BigInteger.One << -exponent : 1) * (digits < 0 ? BigInteger.Pow(10, -digits) : 1);
        BigInteger rounded = DivideToEven(numerator, denominator);
        return bits < 0 ? -rounded : rounded;
    }

    /// <summary>The quotient by a positive divisor, rounded to the nearest, ties to even.</summary>
    public static BigInteger DivideToEven(BigInteger value, BigInteger by)
    {
        BigInteger quotient = BigInteger.DivRem(BigInteger.Abs(value), by, out BigInteger rest);
        int half = (2 * rest).CompareTo(by);
        quotient += half > 0 || (half == 0 && !quotient.IsEven) ? 1 : 0;
        return value.Sign < 0 ? -quotient : quotient;
    }

    /// <summary>A non-negative value with a fixed number of decimals.</summary>
    public static string Fixed(double value, int decimals)
    {
        string digits = Scaled(value, decimals).ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        return decimals == 0 ? digits : $"{digits[..^decimals]}.{digits[^decimals..]}";
    }

    /// <summary>A non-negative value as d.ddd and its power of ten.</summary>
    public static (string Digits, int Exponent) Scientific(double value, int decimals)
    {
        int exponent = value == 0 ? 0 : (int)Math.Floor(Math.Log10(value));
        string digits = Scaled(value, decimals - exponent).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (value != 0 && digits.Length != decimals + 1)
        {
            // The logarithm was off by one, or rounding carried into a new digit.
            exponent += digits.Length > decimals + 1 ? 1 : -1;
            digits = Scaled(value, decimals - exponent).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        digits = digits.PadRight(decimals + 1, '0');
        return (decimals == 0 ? digits : $"{digits[0]}.{digits[1..]}", exponent);
    }
}
