using System.Globalization;
using System.Numerics;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Filters on numbers.</summary>
internal static class NumberFilters
{
    public static IEnumerable<KeyValuePair<string, Filters.Filter>> All { get; } = new Dictionary<string, Filters.Filter>
    {
        ["abs"] = (x, _, _) => x is double d ? Math.Abs(d) : BigInteger.Abs(StringlessInteger(x)),
        ["int"] = Int,
        ["float"] = (x, a, _) => a.Bind("float", ("default", 0.0)) is var p && ToFloat(x) is { } value ? value : p[0],
        ["round"] = Round,
        ["filesizeformat"] = FileSize,
    };

    private static BigInteger StringlessInteger(object? x) =>
        Operators.IntegerOf(x) ?? throw (x as Undefined)?.Error() ?? Operators.Error($"bad operand type for abs(): '{Operators.TypeName(x)}'");

    private static double? ToFloat(object? x) => x switch
    {
        Undefined u => throw u.Error(),
        _ => Operators.TextOf(x) is { } text ? PythonText.ParseFloat(text) : Operators.FloatOf(x),
    };

    private static object? Int(object? x, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("int", ("default", BigInteger.Zero), ("base", new BigInteger(10)));
        if (x is double d && double.IsInfinity(d))
        {
            throw Operators.Error("cannot convert float infinity to integer");
        }
        if (Operators.TextOf(x) is { } text && PythonText.ParseInteger(text, Radix(a[1])) is { } whole)
        {
            return whole;
        }
        return Operators.IntegerOf(x) ?? (ToFloat(x) is { } value && double.IsFinite(value) ? new BigInteger(Math.Truncate(value)) : a[0]);
    }

    private static int Radix(object? value)
    {
        BigInteger radix = StringMethods.Integer(value);
        return radix == 0 || (radix >= 2 && radix <= 36) ? (int)radix : throw Operators.Error("int() base must be >= 2 and <= 36, or 0");
    }

    private static object? Round(object? x, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("round", ("precision", BigInteger.Zero), ("method", "common"));
        int precision = (int)BigInteger.Clamp(StringMethods.Integer(a[0]), -400, 400);
        string method = Operators.TextOf(a[1]) ?? "";
        if (method is not ("common" or "ceil" or "floor"))
        {
            throw Operators.Error("method must be common, ceil or floor");
        }
        if (method == "common")
        {
            return x is double d ? RoundFloat(d, precision) : RoundInteger(StringlessInteger(x), precision);
        }
        double value = Operators.FloatOf(x) ?? throw (x as Undefined)?.Error() ?? Operators.Error("round needs a number");
        double scale = Math.Pow(10, precision), scaled = value * scale;
        if (!double.IsFinite(scaled))
        {
            throw Operators.Error("cannot convert float infinity to integer");
        }
        return new BigInteger(method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled)) is var whole && scale >= 1 && precision == 0
            ? (double)whole : (double)whole / scale;
    }

    private static BigInteger RoundInteger(BigInteger value, int precision)
    {
        if (precision >= 0)
        {
            return value;
        }
        BigInteger unit = BigInteger.Pow(10, -precision);
        return ExactDecimal.DivideToEven(value, unit) * unit;
    }

    private static double RoundFloat(double value, int precision)
    {
        if (!double.IsFinite(value))
        {
            return value;
        }
        BigInteger scaled = ExactDecimal.Scaled(value, precision);
        double rounded = double.Parse($"{scaled}e{-precision}", CultureInfo.InvariantCulture);
        return rounded == 0 ? Math.CopySign(0, value) : rounded;
    }

    private static object? FileSize(object? x, Arguments arguments, Fuel fuel)
    {
        bool binary = Operators.IsTrue(arguments.Bind("filesizeformat", ("binary", false))[0]);
        double bytes = ToFloat(x) ?? throw Operators.Error("filesizeformat needs a number");
        double unit = binary ? 1024 : 1000;
        if (bytes == 1)
        {
            return "1 Byte";
        }
        if (bytes < unit)
        {
            return double.IsFinite(bytes) ? $"{new BigInteger(bytes)} Bytes" : throw Operators.Error("cannot convert float infinity to integer");
        }
        string[] prefixes = binary ? ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"] : ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
        int i = 0;
        while (i < prefixes.Length - 1 && bytes >= Math.Pow(unit, i + 2))
        {
            i++;
        }
        return NumberFormat.Float(unit * bytes / Math.Pow(unit, i + 2), 'f', 1) + " " + prefixes[i];
    }
}
