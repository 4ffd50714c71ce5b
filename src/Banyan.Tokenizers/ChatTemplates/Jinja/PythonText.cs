using System.Globalization;
using System.Numerics;
using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>How Python prints and reads its values.</summary>
internal static class PythonText
{
    private const int MaxDigits = 4300;

    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    public static string TrimEnd(string text)
    {
        int end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
        {
            end--;
        }
        return text[..end];
    }

    public static string TrimStart(string text)
    {
        int start = 0;
        while (start < text.Length && IsSpace(text[start]))
        {
            start++;
        }
        return text[start..];
    }

    /// <summary>What <c>str(x)</c> gives.</summary>
    public static string Str(object? value, Fuel fuel)
    {
        if (value is string text)
        {
            return text;
        }
        if (value is SafeText safe)
        {
            return safe.Value;
        }
        if (value is Undefined)
        {
            return "";
        }
        return Repr(value, fuel);
    }

    /// <summary>What <c>repr(x)</c> gives.</summary>
    public static string Repr(object? value, Fuel fuel)
    {
        var to = new StringBuilder();
        Repr(value, to, fuel);
        return to.ToString();
    }

    private static void Repr(object? value, StringBuilder to, Fuel fuel)
    {
        using Fuel.Level level = fuel.Enter();
        fuel.CheckLength(to.Length);
        switch (value)
        {
            case null: to.Append("None"); break;
            case bool b: to.Append(b ? "True" : "False"); break;
            case BigInteger i: to.Append(Integer(i)); break;
            case double d: to.Append(Float(d)); break;
            case string s: Quoted(s, to); break;
            case SafeText s: to.Append("Markup("); Quoted(s.Value, to); to.Append(')'); break;
            case Undefined: to.Append("Undefined"); break;
            case TemplateList l: Sequence('[', l.Items, ']', to, fuel); break;
            case TemplateTuple t: Sequence('(', t.Items, ')', to, fuel, t.Items.Length == 1); break;
            case Group g: Sequence('(', [g.Grouper, g.List], ')', to, fuel); break;
            case TemplateDict d: Dict(d, to, fuel); break;
            case Namespace n: to.Append("<Namespace "); Dict(n.Attributes, to, fuel); to.Append('>'); break;
            case DictView v: to.Append("dict_").Append(v.Kind).Append('('); Sequence('[', v.Items, ']', to, fuel); to.Append(')'); break;
            case TemplateRange r: to.Append($"range({r.Start}, {r.Stop}").Append(r.Step == 1 ? ")" : $", {r.Step})"); break;
            case Function f: to.Append($"<function {f.Name}>"); break;
            case TemplateBytes b: to.Append(b.ToString()); break;
            case LoopState l: to.Append($"<LoopContext {l.Index0 + 1}/{l.Length}>"); break;
            default: to.Append($"<{Operators.TypeName(value)}>"); break;
        }
    }

    private static void Sequence(char open, IEnumerable<object?> items, char close, StringBuilder to, Fuel fuel, bool comma = false)
    {
        to.Append(open);
        bool first = true;
        foreach (object? item in items)
        {
            fuel.Step();
            to.Append(first ? "" : ", ");
            Repr(item, to, fuel);
            first = false;
        }
        to.Append(comma ? "," : "").Append(close);
    }

    private static void Dict(TemplateDict dict, StringBuilder to, Fuel fuel)
    {
        to.Append('{');
        bool first = true;
        foreach ((Key key, object? value) in dict.Items)
        {
            fuel.Step();
            to.Append(first ? "" : ", ");
            Repr(key.Value, to, fuel);
            to.Append(": ");
            Repr(value, to, fuel);
            first = false;
        }
        to.Append('}');
    }

    private static void Quoted(string text, StringBuilder to)
    {
        char quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        to.Append(quote);
        foreach (Rune rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '\\': to.Append("\\\\"); break;
                case '\n': to.Append("\\n"); break;
                case '\r': to.Append("\\r"); break;
                case '\t': to.Append("\\t"); break;
                case var c when c == quote: to.Append('\\').Append(quote); break;
                case var c when IsPrintable(rune): to.Append(rune); break;
                case < 0x100 and var c: to.Append($"\\x{c:x2}"); break;
                case < 0x10000 and var c: to.Append($"\\u{c:x4}"); break;
                case var c: to.Append($"\\U{c:x8}"); break;
            }
        }
        to.Append(quote);
    }

    /// <summary>Python's <c>isprintable</c>.</summary>
    public static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);

    /// <summary>An integer, if it is not too long to print.</summary>
    public static string Integer(BigInteger value)
    {
        // 10^4300 has 14285 bits.
        string digits = value.GetBitLength() > 14300 ? "" : value.ToString(CultureInfo.InvariantCulture);
        return digits.Length > 0 && digits.TrimStart('-').Length <= MaxDigits
            ? digits
            : throw new ChatTemplateException(ChatTemplateError.Runtime, $"an integer of more than {MaxDigits} digits cannot be printed");
    }

    /// <summary>The shortest digits that read back as the same value, with an exponent below 1e-4 and from 1e16 on.</summary>
    public static string Float(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }
        (string digits, int exponent, bool negative) = Parts(value.ToString("R", CultureInfo.InvariantCulture));
        string sign = negative ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            string mantissa = digits.Length == 1 ? digits : $"{digits[0]}.{digits[1..]}";
            return $"{sign}{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }
        if (exponent < 0)
        {
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        }
        return digits.Length <= exponent + 1
            ? $"{sign}{digits.PadRight(exponent + 1, '0')}.0"
            : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    // "-1.25E-07" to ("125", -7, true): the value is d.ddd times 10 to the exponent.
    private static (string Digits, int Exponent, bool Negative) Parts(string text)
    {
        bool negative = text[0] == '-';
        string body = negative ? text[1..] : text;
        int e = body.IndexOf('E');
        int exponent = e < 0 ? 0 : int.Parse(body.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string number = e < 0 ? body : body[..e];
        int point = number.IndexOf('.');
        string digits = number.Replace(".", "");
        exponent += (point < 0 ? number.Length : point) - 1;
        string trimmed = digits.TrimStart('0');
        exponent -= digits.Length - trimmed.Length;
        trimmed = trimmed.TrimEnd('0');
        return trimmed.Length == 0 ? ("0", 0, negative) : (trimmed, exponent, negative);
    }

    /// <summary>Digits of a radix from 2 to 36, or null.</summary>
    public static BigInteger? ParseDigits(ReadOnlySpan<char> digits, int radix)
    {
        if (digits.Length is 0 or > MaxDigits)
        {
            return null;
        }
        BigInteger value = 0;
        foreach (char c in digits)
        {
            int digit = char.IsAsciiDigit(c) ? c - '0' : char.IsAsciiLetter(c) ? (c | 32) - 'a' + 10 : 99;
            if (digit >= radix)
            {
                return null;
            }
            value = value * radix + digit;
        }
        return value;
    }

    /// <summary>What <c>int(text, radix)</c> gives, or null.</summary>
    public static BigInteger? ParseInteger(string text, int radix)
    {
        string body = TrimStart(TrimEnd(text));
        bool negative = body.StartsWith('-');
        body = body is ['-' or '+', ..] ? body[1..] : body;
        string prefix = body.Length > 1 && body[0] == '0' ? char.ToLowerInvariant(body[1]).ToString() : "";
        int prefixed = prefix switch { "x" => 16, "o" => 8, "b" => 2, _ => 0 };
        if (prefixed != 0 && (radix == prefixed || radix == 0))
        {
            (body, radix) = (body[2..] is ['_', .. var rest] ? rest : body[2..], prefixed);
        }
        else if (radix == 0)
        {
            radix = 10;
        }
        if (body.StartsWith('_') || body.EndsWith('_') || body.Contains("__", StringComparison.Ordinal))
        {
            return null;
        }
        BigInteger? value = ParseDigits(body.Replace("_", ""), radix);
        return negative ? -value : value;
    }

    /// <summary>What <c>float(text)</c> gives, or null.</summary>
    public static double? ParseFloat(string text)
    {
        string body = TrimStart(TrimEnd(text)).ToLowerInvariant();
        string bare = body is ['-' or '+', ..] ? body[1..] : body;
        double sign = body.StartsWith('-') ? -1 : 1;
        if (bare is "inf" or "infinity")
        {
            return sign * double.PositiveInfinity;
        }
        if (bare == "nan")
        {
            return double.NaN;
        }
        if (bare.StartsWith('_') || bare.EndsWith('_') || bare.Contains("__", StringComparison.Ordinal) || bare.AsSpan().ContainsAny("+- ") && !bare.Contains('e'))
        {
            return null;
        }
        const NumberStyles Style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(bare.Replace("_", ""), Style, CultureInfo.InvariantCulture, out double value) ? sign * value : null;
    }
}
