using System.Numerics;
using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Python's <c>text.format(…)</c>: fields in braces, with attributes and items reached as everywhere in a template.</summary>
internal static class BraceFormat
{
    public static string Format(string format, Arguments arguments, bool escape, Fuel fuel) => new Run(arguments, escape, fuel).All(format, 0);

    /// <summary>The text of a value by a format specification such as <c>*^+10.3f</c>.</summary>
    public static string Apply(object? value, string spec, Fuel fuel)
    {
        if (spec.Length == 0)
        {
            return PythonText.Str(value, fuel);
        }
        return Specification.Parse(spec, fuel).Format(value, fuel);
    }

    private sealed class Run(Arguments arguments, bool escape, Fuel fuel)
    {
        private int _automatic;

        public string All(string format, int level)
        {
            if (level > 2)
            {
                throw Operators.Error("Max string recursion exceeded");
            }
            var to = new StringBuilder();
            for (int i = 0; i < format.Length; i++)
            {
                fuel.CheckLength(to.Length);
                char c = format[i];
                if (c is not ('{' or '}'))
                {
                    to.Append(c);
                }
                else if (i + 1 < format.Length && format[i + 1] == c)
                {
                    to.Append(c);
                    i++;
                }
                else if (c == '}')
                {
                    throw Operators.Error("Single '}' encountered in format string");
                }
                else
                {
                    int end = FieldEnd(format, i + 1);
                    to.Append(Field(format[(i + 1)..end], level));
                    i = end;
                }
            }
            return to.ToString();
        }

        private static int FieldEnd(string format, int start)
        {
            int depth = 1;
            for (int i = start; i < format.Length; i++)
            {
                depth += format[i] == '{' ? 1 : format[i] == '}' ? -1 : 0;
                if (depth == 0)
                {
                    return i;
                }
            }
            throw Operators.Error("expected '}' before end of string");
        }

        private string Field(string field, int level)
        {
            int colon = field.IndexOf(':'), mark = field.IndexOf('!');
            string spec = colon < 0 ? "" : field[(colon + 1)..];
            string head = colon < 0 ? field : field[..colon];
            char conversion = ' ';
            if (mark >= 0 && (colon < 0 || mark < colon))
            {
                conversion = head.Length == mark + 2 ? head[mark + 1] : throw Operators.Error("expected ':' after conversion specifier");
                head = head[..mark];
            }
            object? value = Value(head);
            spec = All(spec, level + 1);
            value = conversion switch
            {
                ' ' => value,
                's' => PythonText.Str(value, fuel),
                'r' or 'a' => PythonText.Repr(value, fuel),
                _ => throw Operators.Error($"Unknown conversion specifier {conversion}"),
            };
            if (escape && value is SafeText safe)
            {
                return spec.Length == 0 ? safe.Value : Apply(safe.Value, spec, fuel);
            }
            string text = Apply(value, spec, fuel);
            return escape ? Html.Escape(text, fuel) : text;
        }

        private object? Value(string path)
        {
            int end = path.AsSpan().IndexOfAny('.', '[');
            string first = end < 0 ? path : path[..end];
            object? value = first.Length == 0 ? Positional(_automatic++) : int.TryParse(first, out int index) && index >= 0 ? Positional(index) : Named(first);
            for (int i = first.Length; i < path.Length;)
            {
                if (path[i] == '.')
                {
                    int stop = path.AsSpan(i + 1).IndexOfAny('.', '[');
                    stop = stop < 0 ? path.Length : i + 1 + stop;
                    value = Attributes.Get(value, path[(i + 1)..stop], fuel);
                    i = stop;
                }
                else
                {
                    int stop = path.IndexOf(']', i);
                    string key = stop < 0 ? throw Operators.Error("Missing ']' in format string") : path[(i + 1)..stop];
                    value = Attributes.Item(value, int.TryParse(key, out int n) && n >= 0 ? new BigInteger(n) : key, fuel);
                    i = stop + 1;
                }
            }
            return value;
        }

        private object? Positional(int index) => index < arguments.Positional.Count
            ? arguments.Positional[index]
            : throw Operators.Error($"Replacement index {index} out of range for positional args tuple");

        private object? Named(string name)
        {
            int index = arguments.Named.FindIndex(n => n.Name == name);
            return index >= 0 ? arguments.Named[index].Value : throw Operators.Error($"there is no argument '{name}'");
        }
    }

    private sealed record Specification(string Fill, char Align, char Sign, bool Alternate, int Width, char Grouping, int? Precision, char Form)
    {
        public static Specification Parse(string spec, Fuel fuel)
        {
            string fill = "";
            char align = '\0', sign = '-', grouping = '\0', form = '\0';
            int at = 0;
            int firstLength = char.IsSurrogatePair(spec, 0) ? 2 : 1;
            if (spec.Length > firstLength && spec[firstLength] is '<' or '>' or '^' or '=')
            {
                (fill, align, at) = (spec[..firstLength], spec[firstLength], firstLength + 1);
            }
            else if (spec[0] is '<' or '>' or '^' or '=')
            {
                (align, at) = (spec[0], 1);
            }
            char Peek() => at < spec.Length ? spec[at] : '\0';
            if (Peek() is '+' or '-' or ' ')
            {
                sign = spec[at++];
            }
            bool alternate = Peek() == '#';
            at += alternate ? 1 : 0;
            if (Peek() == '0')
            {
                at++;
                (fill, align) = (fill.Length == 0 ? "0" : fill, align == '\0' ? '=' : align);
            }
            int Number()
            {
                long number = 0;
                while (char.IsAsciiDigit(Peek()))
                {
                    number = 10 * number + spec[at++] - '0';
                    fuel.CheckLength(number);
                }
                return (int)number;
            }
            int width = Number();
            if (Peek() is ',' or '_')
            {
                grouping = spec[at++];
            }
            int? precision = null;
            if (Peek() == '.')
            {
                at++;
                precision = char.IsAsciiDigit(Peek()) ? Number() : throw Operators.Error("Format specifier missing precision");
            }
            if (at < spec.Length)
            {
                form = spec[at++];
            }
            return at == spec.Length
                ? new Specification(fill.Length == 0 ? " " : fill, align, sign, alternate, width, grouping, precision, form)
                : throw Operators.Error("Invalid format specifier");
        }

        public string Format(object? value, Fuel fuel)
        {
            fuel.Text(Width);
            if (Operators.TextOf(value) is { } text)
            {
                if (Form is not ('\0' or 's'))
                {
                    throw Operators.Error($"Unknown format code '{Form}' for object of type 'str'");
                }
                if (Align == '=')
                {
                    throw Operators.Error("'=' alignment not allowed in string format specifier");
                }
                return Pad("", Precision is { } p ? text[..CodePoints.Offset(text, p)] : text, '<');
            }
            if (value is double or BigInteger or bool)
            {
                return value is double || Form is 'f' or 'F' or 'e' or 'E' or 'g' or 'G' or '%' ? Float(value) : Integer(Operators.IntegerOf(value)!.Value);
            }
            throw Operators.Error($"unsupported format string passed to {Operators.TypeName(value)}.__format__");
        }

        private string Integer(BigInteger value)
        {
            if (Form is not ('\0' or 'd' or 'x' or 'X' or 'o' or 'b' or 'c' or 'n'))
            {
                throw Operators.Error($"Unknown format code '{Form}' for object of type 'int'");
            }
            if (Form == 'c')
            {
                return value >= 0 && value < 0x110000 ? Pad("", char.ConvertFromUtf32((int)value), '<') : throw Operators.Error("%c arg not in range(0x110000)");
            }
            if (Precision is not null)
            {
                throw Operators.Error("Precision not allowed in integer format specifier");
            }
            string prefix = Alternate && Form is 'x' or 'X' or 'o' or 'b' && Alternate ? $"0{Form}" : "";
            string digits = Grouped(NumberFormat.Integer(BigInteger.Abs(value), Form), Form is 'x' or 'X' or 'o' or 'b' ? 4 : 3);
            return Pad(SignOf(value.Sign < 0) + prefix, digits, '>');
        }

        private string Float(object? value)
        {
            double number = Operators.FloatOf(value)!.Value;
            if (Form is not ('\0' or 'f' or 'F' or 'e' or 'E' or 'g' or 'G' or '%' or 'n'))
            {
                throw Operators.Error($"Unknown format code '{Form}' for object of type 'float'");
            }
            double magnitude = Math.Abs(number);
            string text = Form switch
            {
                '%' => NumberFormat.Float(magnitude * 100, 'f', Precision ?? 6) + "%",
                '\0' when Precision is null => PythonText.Float(magnitude),
                '\0' => WithPoint(NumberFormat.Float(magnitude, 'g', Precision!.Value, Alternate)),
                'n' => NumberFormat.Float(magnitude, 'g', Precision ?? 6, Alternate),
                _ => NumberFormat.Float(magnitude, Form, Precision ?? 6, Alternate),
            };
            int point = text.AsSpan().IndexOfAny(".e%");
            text = point < 0 ? Grouped(text, 3) : Grouped(text[..point], 3) + text[point..];
            return Pad(SignOf(double.IsNegative(number) && !double.IsNaN(number)), text, '>');
        }

        private static string WithPoint(string text) => text.AsSpan().ContainsAny(".ein") ? text : text + ".0";

        private string SignOf(bool negative) => negative ? "-" : Sign == '-' ? "" : Sign.ToString();

        private string Grouped(string digits, int size)
        {
            if (Grouping == '\0' || !char.IsAsciiHexDigit(digits[0]) || digits == "inf")
            {
                return digits;
            }
            var to = new StringBuilder(digits);
            for (int i = digits.Length - size; i > 0; i -= size)
            {
                to.Insert(i, Grouping);
            }
            return to.ToString();
        }

        private string Pad(string sign, string text, char natural)
        {
            int missing = Width - sign.Length - CodePoints.Count(text);
            if (missing <= 0)
            {
                return sign + text;
            }
            string Fills(int count) => string.Concat(Enumerable.Repeat(Fill, count));
            return (Align == '\0' ? natural : Align) switch
            {
                '<' => sign + text + Fills(missing),
                '^' => Fills(missing / 2) + sign + text + Fills(missing - missing / 2),
                '=' => sign + Fills(missing) + text,
                _ => Fills(missing) + sign + text,
            };
        }
    }
}
