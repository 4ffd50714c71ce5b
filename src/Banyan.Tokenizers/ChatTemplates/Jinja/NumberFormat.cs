using System.Numerics;
using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Numbers in the forms that <c>%</c> and <c>format</c> share.</summary>
internal static class NumberFormat
{
    /// <summary>The digits of a magnitude in the form d, x, X, o or b.</summary>
    public static string Integer(BigInteger magnitude, char form) => form switch
    {
        'x' => Radix(magnitude, 16),
        'X' => Radix(magnitude, 16).ToUpperInvariant(),
        'o' => Radix(magnitude, 8),
        'b' => Radix(magnitude, 2),
        _ => PythonText.Integer(magnitude),
    };

    private static string Radix(BigInteger value, int radix)
    {
        PythonText.Integer(value);
        var digits = new StringBuilder();
        do
        {
            value = BigInteger.DivRem(value, radix, out BigInteger digit);
            digits.Insert(0, "0123456789abcdef"[(int)digit]);
        }
        while (!value.IsZero);
        return digits.ToString();
    }

    /// <summary>A non-negative float in the form f, e, g or their capitals.</summary>
    public static string Float(double value, char form, int precision, bool alternate = false)
    {
        if (!double.IsFinite(value))
        {
            string name = double.IsNaN(value) ? "nan" : "inf";
            return char.IsUpper(form) ? name.ToUpperInvariant() : name;
        }
        string text = char.ToLowerInvariant(form) switch
        {
            'f' => ExactDecimal.Fixed(value, precision),
            'e' => Exponent(value, precision),
            _ => General(value, Math.Max(precision, 1), alternate),
        };
        return char.IsUpper(form) ? text.ToUpperInvariant() : text;
    }

    private static string Exponent(double value, int precision)
    {
        (string digits, int exponent) = ExactDecimal.Scientific(value, precision);
        return $"{digits}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    // As many significant digits as the precision says, without zeros at the end.
    private static string General(double value, int precision, bool alternate)
    {
        (string digits, int exponent) = ExactDecimal.Scientific(value, precision - 1);
        bool isFixed = exponent >= -4 && exponent < precision;
        digits = isFixed ? ExactDecimal.Fixed(value, precision - 1 - exponent) : digits;
        if (!alternate && digits.Contains('.'))
        {
            digits = digits.TrimEnd('0').TrimEnd('.');
        }
        return isFixed ? digits : $"{digits}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }
}
