using System.Numerics;
using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Python's <c>text % values</c>.</summary>
internal static class Printf
{
    public static object Format(object format, object? values, Fuel fuel)
    {
        var run = new Run(Operators.TextOf(format)!, values, format is SafeText, fuel);
        string text = run.All();
        return format is SafeText ? new SafeText(text) : text;
    }

    private sealed class Run(string format, object? values, bool escape, Fuel fuel)
    {
        private readonly StringBuilder _to = new();
        private readonly object?[]? _tuple = (values as TemplateTuple)?.Items;
        private int _at, _next;

        public string All()
        {
            while (_at < format.Length)
            {
                fuel.CheckLength(_to.Length);
                char c = format[_at++];
                if (c != '%')
                {
                    _to.Append(c);
                }
                else
                {
                    One();
                }
            }
            bool unused = _tuple is null ? _next == 0 && values is not (TemplateDict or TemplateList or Namespace) : _next < _tuple.Length;
            return unused ? throw Operators.Error("not all arguments converted during string formatting") : _to.ToString();
        }

        private char Peek => _at < format.Length ? format[_at] : throw Operators.Error("incomplete format");

        private object? Next()
        {
            if (_tuple is null ? _next > 0 : _next >= _tuple.Length)
            {
                throw Operators.Error("not enough arguments for format string");
            }
            int index = _next++;
            return _tuple is null ? values : _tuple[index];
        }

        private void One()
        {
            object? value = null;
            bool named = false;
            if (Peek == '(')
            {
                int end = format.IndexOf(')', _at);
                string name = end < 0 ? throw Operators.Error("incomplete format key") : format[(_at + 1)..end];
                value = values is not TemplateDict dict ? throw Operators.Error("format requires a mapping")
                    : dict.TryGet(name, out object? found) ? found : throw Operators.Error($"there is no key '{name}'");
                _at = end + 1;
                named = true;
            }
            int flags = _at;
            while (Peek is '-' or '+' or ' ' or '#' or '0')
            {
                _at++;
            }
            string set = format[flags.._at];
            int width = Number(out bool leftByWidth);
            int? precision = null;
            if (Peek == '.')
            {
                _at++;
                precision = Number(out _);
            }
            while (Peek is 'l' or 'h' or 'L')
            {
                _at++;
            }
            char form = Peek;
            _at++;
            if (form == '%')
            {
                _to.Append('%');
                return;
            }
            if (!named)
            {
                value = Next();
            }
            Append(Convert(form, value, set, precision, out bool numeric), width, set.Contains('-') || leftByWidth, numeric && set.Contains('0'));
        }

        private int Number(out bool negative)
        {
            negative = false;
            if (Peek == '*')
            {
                _at++;
                BigInteger value = Operators.IntegerOf(Next()) ?? throw Operators.Error("* wants int");
                negative = value.Sign < 0;
                fuel.CheckLength((long)BigInteger.Min(BigInteger.Abs(value), long.MaxValue));
                return (int)BigInteger.Abs(value);
            }
            long number = 0;
            while (char.IsAsciiDigit(Peek))
            {
                number = 10 * number + format[_at++] - '0';
                fuel.CheckLength(number);
            }
            return (int)number;
        }

        private string Convert(char form, object? value, string flags, int? precision, out bool numeric)
        {
            numeric = form is not ('s' or 'r' or 'a' or 'c');
            switch (form)
            {
                case 's':
                    return Cut(escape ? Html.EscapeUnsafe(value, fuel) : PythonText.Str(value, fuel), precision);
                case 'r' or 'a':
                    string repr = PythonText.Repr(value, fuel);
                    return Cut(escape ? Html.Escape(repr, fuel) : repr, precision);
                case 'c':
                    return Operators.TextOf(value) is { } text && CodePoints.Count(text) == 1 ? text
                        : Operators.IntegerOf(value) is { } code && code >= 0 && code < 0x110000 ? Character((int)code)
                        : throw Operators.Error("%c requires int or char");
                case 'd' or 'i' or 'u':
                    BigInteger whole = value is double d && double.IsFinite(d) ? new BigInteger(d) : Whole(value, form);
                    return Signed(whole.Sign < 0, Pad(NumberFormat.Integer(BigInteger.Abs(whole), 'd'), precision), flags);
                case 'x' or 'X' or 'o':
                    BigInteger bits = Whole(value, form);
                    string prefix = flags.Contains('#') ? $"0{form}" : "";
                    return Signed(bits.Sign < 0, prefix + Pad(NumberFormat.Integer(BigInteger.Abs(bits), form), precision), flags);
                case 'f' or 'F' or 'e' or 'E' or 'g' or 'G':
                    double number = Operators.FloatOf(value) ?? throw Mismatch(value, "must be real number");
                    return Signed(double.IsNegative(number) && !double.IsNaN(number), NumberFormat.Float(Math.Abs(number), form, precision ?? 6, flags.Contains('#')), flags);
                default:
                    throw Operators.Error($"unsupported format character '{form}'");
            }
        }

        private static string Character(int code) => code is >= 0xd800 and < 0xe000 ? ((char)code).ToString() : char.ConvertFromUtf32(code);

        private static string Cut(string text, int? precision) => precision is { } p ? text[..CodePoints.Offset(text, p)] : text;

        private static string Pad(string digits, int? precision) => digits.PadLeft(precision ?? 0, '0');

        private static BigInteger Whole(object? value, char form) => Operators.IntegerOf(value) ?? throw Mismatch(value, $"%{form} format: an integer is required");

        private static ChatTemplateException Mismatch(object? value, string problem) =>
            (value as Undefined)?.Error() ?? Operators.Error($"{problem}, not {Operators.TypeName(value)}");

        private static string Signed(bool negative, string digits, string flags) =>
            (negative ? "-" : flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "") + digits;

        private void Append(string text, int width, bool left, bool zeros)
        {
            int missing = width - CodePoints.Count(text);
            if (missing <= 0)
            {
                _to.Append(text);
            }
            else if (left)
            {
                _to.Append(text).Append(' ', missing);
            }
            else if (zeros)
            {
                int sign = text is ['-' or '+' or ' ', ..] ? 1 : 0;
                _to.Append(text, 0, sign).Append('0', missing).Append(text, sign, text.Length - sign);
            }
            else
            {
                _to.Append(' ', missing).Append(text);
            }
        }
    }
}
