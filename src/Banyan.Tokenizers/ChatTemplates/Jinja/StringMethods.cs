using System.Globalization;
using System.Numerics;
using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>The methods of Python's <c>str</c>, by code points.</summary>
internal static class StringMethods
{
    private static readonly Dictionary<string, Func<string, Arguments, Fuel, object?>> s_methods = new()
    {
        ["upper"] = (s, a, _) => None(a, "upper", CaseMapping.Upper(s)),
        ["lower"] = (s, a, _) => None(a, "lower", CaseMapping.Lower(s)),
        ["title"] = (s, a, _) => None(a, "title", CaseMapping.TitleWords(s)),
        ["capitalize"] = (s, a, _) => None(a, "capitalize", CaseMapping.Capitalize(s)),
        ["casefold"] = (s, a, _) => None(a, "casefold", CaseMapping.Fold(s)),
        ["swapcase"] = (s, a, _) => None(a, "swapcase", CaseMapping.Swap(s)),
        ["strip"] = (s, a, _) => Strip(s, a.Places("strip", 0, 1)[0], left: true, right: true),
        ["lstrip"] = (s, a, _) => Strip(s, a.Places("lstrip", 0, 1)[0], left: true, right: false),
        ["rstrip"] = (s, a, _) => Strip(s, a.Places("rstrip", 0, 1)[0], left: false, right: true),
        ["split"] = (s, a, _) => Split(s, a.Bind("split", ("sep", null), ("maxsplit", new BigInteger(-1))), fromRight: false),
        ["rsplit"] = (s, a, _) => Split(s, a.Bind("rsplit", ("sep", null), ("maxsplit", new BigInteger(-1))), fromRight: true),
        ["splitlines"] = (s, a, _) => List(Lines(s, Operators.IsTrue(a.Bind("splitlines", ("keepends", false))[0]))),
        ["partition"] = (s, a, _) => Partition(s, Text(a.Places("partition", 1, 1)[0]), fromRight: false),
        ["rpartition"] = (s, a, _) => Partition(s, Text(a.Places("rpartition", 1, 1)[0]), fromRight: true),
        ["startswith"] = (s, a, _) => Affix(s, a.Places("startswith", 1, 3), atStart: true),
        ["endswith"] = (s, a, _) => Affix(s, a.Places("endswith", 1, 3), atStart: false),
        ["removeprefix"] = (s, a, _) => Text(a.Places("removeprefix", 1, 1)[0]) is var p && s.StartsWith(p, StringComparison.Ordinal) ? s[p.Length..] : s,
        ["removesuffix"] = (s, a, _) => Text(a.Places("removesuffix", 1, 1)[0]) is { Length: > 0 } p && s.EndsWith(p, StringComparison.Ordinal) ? s[..^p.Length] : s,
        ["replace"] = (s, a, f) => Replace(s, a.Bind("replace", ("old", Arguments.Required), ("new", Arguments.Required), ("count", new BigInteger(-1))), f),
        ["find"] = (s, a, _) => Find(s, a.Places("find", 1, 3), last: false),
        ["rfind"] = (s, a, _) => Find(s, a.Places("rfind", 1, 3), last: true),
        ["index"] = (s, a, _) => Found(Find(s, a.Places("index", 1, 3), last: false)),
        ["rindex"] = (s, a, _) => Found(Find(s, a.Places("rindex", 1, 3), last: true)),
        ["count"] = (s, a, _) => Count(s, a.Places("count", 1, 3)),
        ["join"] = (s, a, f) => Join(s, a.Places("join", 1, 1)[0], f),
        ["format"] = (s, a, f) => BraceFormat.Format(s, a, escape: false, f),
        ["format_map"] = (s, a, f) => BraceFormat.Format(s, new Arguments([], NamesOf(a.Places("format_map", 1, 1)[0])), escape: false, f),
        ["center"] = (s, a, f) => Justify(s, a.Places("center", 1, 2), f, "center"),
        ["ljust"] = (s, a, f) => Justify(s, a.Places("ljust", 1, 2), f, "ljust"),
        ["rjust"] = (s, a, f) => Justify(s, a.Places("rjust", 1, 2), f, "rjust"),
        ["zfill"] = (s, a, f) => ZeroFill(s, Width(a.Places("zfill", 1, 1)[0], f)),
        ["expandtabs"] = (s, a, f) => ExpandTabs(s, Width(a.Bind("expandtabs", ("tabsize", new BigInteger(8)))[0], f), f),
        ["translate"] = (s, a, f) => Translate(s, a.Places("translate", 1, 1)[0], f),
        ["maketrans"] = (_, a, _) => MakeTranslation(a.Places("maketrans", 1, 3)),
        ["encode"] = (s, a, _) => new TemplateBytes(System.Text.Encoding.UTF8.GetBytes(s)),
        ["isalpha"] = (s, _, _) => All(s, Rune.IsLetter),
        ["isdecimal"] = (s, _, _) => All(s, r => Rune.GetUnicodeCategory(r) == UnicodeCategory.DecimalDigitNumber),
        ["isdigit"] = (s, _, _) => All(s, r => CharUnicodeInfo.GetDigitValue(r.ToString(), 0) >= 0),
        ["isnumeric"] = (s, _, _) => All(s, IsNumeric),
        ["isalnum"] = (s, _, _) => All(s, r => Rune.IsLetter(r) || IsNumeric(r)),
        ["isspace"] = (s, _, _) => All(s, r => r.IsBmp && PythonText.IsSpace((char)r.Value)),
        ["isupper"] = (s, _, _) => HasCase(s, UnicodeCategory.UppercaseLetter),
        ["islower"] = (s, _, _) => HasCase(s, UnicodeCategory.LowercaseLetter),
        ["istitle"] = (s, _, _) => IsTitle(s),
        ["isascii"] = (s, _, _) => Ascii.IsValid(s),
        ["isprintable"] = (s, _, _) => s.EnumerateRunes().All(PythonText.IsPrintable),
        ["isidentifier"] = (s, _, _) => IsIdentifier(s),
    };

    /// <summary>The method of a text, or null. On a safe text, texts that come out are safe, and texts that go in are escaped.</summary>
    public static Function? Find(object text, string name, Fuel fuel)
    {
        string s = Operators.TextOf(text)!;
        if (!s_methods.TryGetValue(name, out Func<string, Arguments, Fuel, object?>? method))
        {
            return null;
        }
        return new Function(name, arguments =>
        {
            fuel.Text(s.Length);
            return text is SafeText ? Safe(name, s, method, arguments, fuel) : method(s, arguments, fuel);
        });
    }

    private static object? Safe(string name, string s, Func<string, Arguments, Fuel, object?> method, Arguments arguments, Fuel fuel)
    {
        object? Escaped(object? value) => value is string text ? Html.Escape(text, fuel) : value is SafeText safe ? safe.Value : value;
        object? result = name switch
        {
            "format" => BraceFormat.Format(s, arguments, escape: true, fuel),
            "join" => Join(s, new TemplateList([.. Operators.Iterate(arguments.Places("join", 1, 1)[0], fuel).Select(i => (object?)Html.EscapeUnsafe(i, fuel))]), fuel),
            _ => method(s, new Arguments([.. arguments.Positional.Select(Escaped)], [.. arguments.Named.Select(n => (n.Name, Escaped(n.Value)))]), fuel),
        };
        return result is string plain ? new SafeText(plain)
            : result is TemplateList list ? new TemplateList([.. list.Items.Select(i => i is string t ? new SafeText(t) : i)]) : result;
    }

    private static string None(Arguments arguments, string name, string result)
    {
        arguments.Places(name, 0, 0);
        return result;
    }

    private static string Text(object? value) =>
        Operators.TextOf(value) ?? throw Operators.Error($"a text is expected, not '{Operators.TypeName(value)}'");

    private static TemplateList List(IEnumerable<string> items) => new([.. items]);

    public static BigInteger Integer(object? value) =>
        Operators.IntegerOf(value) ?? throw Operators.Error($"'{Operators.TypeName(value)}' object cannot be interpreted as an integer");

    private static int Width(object? value, Fuel fuel)
    {
        BigInteger width = Integer(value);
        fuel.CheckLength((long)BigInteger.Min(BigInteger.Max(width, 0), long.MaxValue));
        return (int)BigInteger.Max(width, 0);
    }

    public static string Strip(string s, object? characters, bool left, bool right)
    {
        if (characters is null)
        {
            s = left ? PythonText.TrimStart(s) : s;
            return right ? PythonText.TrimEnd(s) : s;
        }
        var set = Text(characters).EnumerateRunes().ToHashSet();
        int start = 0, end = s.Length;
        while (left && start < end && Rune.TryGetRuneAt(s, start, out Rune rune) && set.Contains(rune))
        {
            start += rune.Utf16SequenceLength;
        }
        while (right && end > start)
        {
            int length = end - start > 1 && char.IsSurrogatePair(s, end - 2) ? 2 : 1;
            if (!Rune.TryGetRuneAt(s, end - length, out Rune rune) || !set.Contains(rune))
            {
                break;
            }
            end -= length;
        }
        return s[start..end];
    }

    private static TemplateList Split(string s, object?[] arguments, bool fromRight)
    {
        BigInteger limit = Integer(arguments[1]);
        int max = limit < 0 || limit > int.MaxValue ? int.MaxValue : (int)limit;
        string? separator = arguments[0] is null ? null : Text(arguments[0]);
        if (separator is { Length: 0 })
        {
            throw Operators.Error("empty separator");
        }
        var parts = new List<string>();
        if (fromRight)
        {
            SplitRight(s, separator, max, parts);
            parts.Reverse();
        }
        else
        {
            SplitLeft(s, separator, max, parts);
        }
        return List(parts);
    }

    private static void SplitLeft(string s, string? separator, int max, List<string> parts)
    {
        int at = 0;
        if (separator is not null)
        {
            for (int next; parts.Count < max && (next = s.IndexOf(separator, at, StringComparison.Ordinal)) >= 0; at = next + separator.Length)
            {
                parts.Add(s[at..next]);
            }
            parts.Add(s[at..]);
            return;
        }
        while (true)
        {
            while (at < s.Length && PythonText.IsSpace(s[at]))
            {
                at++;
            }
            if (at == s.Length)
            {
                return;
            }
            int end = at;
            while (end < s.Length && !PythonText.IsSpace(s[end]))
            {
                end++;
            }
            if (parts.Count == max)
            {
                parts.Add(s[at..]);
                return;
            }
            parts.Add(s[at..end]);
            at = end;
        }
    }

    private static void SplitRight(string s, string? separator, int max, List<string> parts)
    {
        int end = s.Length;
        if (separator is not null)
        {
            for (int at; parts.Count < max && end >= separator.Length && (at = s[..end].LastIndexOf(separator, StringComparison.Ordinal)) >= 0; end = at)
            {
                parts.Add(s[(at + separator.Length)..end]);
            }
            parts.Add(s[..end]);
            return;
        }
        while (true)
        {
            while (end > 0 && PythonText.IsSpace(s[end - 1]))
            {
                end--;
            }
            if (end == 0)
            {
                return;
            }
            int start = end;
            while (start > 0 && !PythonText.IsSpace(s[start - 1]))
            {
                start--;
            }
            if (parts.Count == max)
            {
                parts.Add(s[..end]);
                return;
            }
            parts.Add(s[start..end]);
            end = start;
        }
    }

    /// <summary>The lines of a text, at any of Python's line boundaries.</summary>
    public static List<string> Lines(string s, bool keepEnds = false)
    {
        var lines = new List<string>();
        for (int at = 0; at < s.Length;)
        {
            int end = s.AsSpan(at).IndexOfAny("\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029");
            end = end < 0 ? s.Length : at + end;
            int next = end == s.Length ? end : s[end] == '\r' && end + 1 < s.Length && s[end + 1] == '\n' ? end + 2 : end + 1;
            lines.Add(s[at..(keepEnds ? next : end)]);
            at = next;
        }
        return lines;
    }

    private static TemplateTuple Partition(string s, string separator, bool fromRight)
    {
        if (separator.Length == 0)
        {
            throw Operators.Error("empty separator");
        }
        int at = fromRight ? s.LastIndexOf(separator, StringComparison.Ordinal) : s.IndexOf(separator, StringComparison.Ordinal);
        return at >= 0 ? new TemplateTuple(s[..at], separator, s[(at + separator.Length)..]) : fromRight ? new TemplateTuple("", "", s) : new TemplateTuple(s, "", "");
    }

    // The part of a text between two code points that may be negative or absent; the start in code points, or null where it lies behind the end.
    private static (string Part, int Start)? Window(string s, object? start, object? end)
    {
        int length = CodePoints.Count(s);
        int Bound(object? value, int absent) =>
            value is null ? absent : (int)BigInteger.Clamp(Integer(value) is var i && i < 0 ? i + length : i, 0, (BigInteger)length + 1);
        int from = Bound(start, 0), to = Math.Min(Bound(end, length), length);
        return from > to ? null : (s[CodePoints.Offset(s, from)..CodePoints.Offset(s, to)], from);
    }

    private static object Affix(string s, object?[] a, bool atStart)
    {
        if (Window(s, a[1], a[2]) is not { } window)
        {
            return false;
        }
        bool Has(object? affix) => atStart ? window.Part.StartsWith(Text(affix), StringComparison.Ordinal) : window.Part.EndsWith(Text(affix), StringComparison.Ordinal);
        return a[0] is TemplateTuple tuple ? tuple.Items.Any(Has) : Has(a[0]);
    }

    private static object Find(string s, object?[] a, bool last)
    {
        string part = Text(a[0]);
        if (Window(s, a[1], a[2]) is not { } window)
        {
            return new BigInteger(-1);
        }
        int at = part.Length == 0 ? (last ? window.Part.Length : 0)
            : last ? window.Part.LastIndexOf(part, StringComparison.Ordinal) : window.Part.IndexOf(part, StringComparison.Ordinal);
        return new BigInteger(at < 0 ? -1 : window.Start + CodePoints.Count(window.Part[..at]));
    }

    private static object Found(object index) => index is BigInteger { Sign: < 0 } ? throw Operators.Error("substring not found") : index;

    private static object Count(string s, object?[] a)
    {
        string part = Text(a[0]);
        if (Window(s, a[1], a[2]) is not { } window)
        {
            return BigInteger.Zero;
        }
        return new BigInteger(part.Length == 0 ? CodePoints.Count(window.Part) + 1 : window.Part.AsSpan().Count(part));
    }

    public static string Replace(string s, object?[] a, Fuel fuel)
    {
        string old = Text(a[0]), with = Text(a[1]);
        BigInteger limit = a[2] is null ? -1 : Integer(a[2]);
        long max = limit < 0 ? long.MaxValue : (long)BigInteger.Min(limit, long.MaxValue);
        var to = new StringBuilder();
        int at = 0;
        if (old.Length == 0)
        {
            foreach (string character in CodePoints.Split(s).Append(""))
            {
                fuel.Text(to.Length > 0 ? with.Length : 0);
                fuel.CheckLength(to.Length);
                to.Append(max-- > 0 ? with : "").Append(character);
            }
            return to.ToString();
        }
        for (int next; max-- > 0 && (next = s.IndexOf(old, at, StringComparison.Ordinal)) >= 0; at = next + old.Length)
        {
            fuel.Step();
            fuel.CheckLength(to.Length + (long)with.Length);
            to.Append(s, at, next - at).Append(with);
        }
        fuel.Text(to.Length);
        return to.Append(s, at, s.Length - at).ToString();
    }

    public static string Join(string separator, object? items, Fuel fuel)
    {
        var to = new StringBuilder();
        bool first = true;
        foreach (object? item in Operators.Iterate(items, fuel))
        {
            string text = Operators.TextOf(item) ?? throw Operators.Error($"expected a text to join, found '{Operators.TypeName(item)}'");
            fuel.Text(separator.Length + (long)text.Length);
            fuel.CheckLength(to.Length);
            to.Append(first ? "" : separator).Append(text);
            first = false;
        }
        return to.ToString();
    }

    private static List<(string Name, object? Value)> NamesOf(object? mapping) => mapping is TemplateDict dict
        ? [.. dict.Items.Where(i => i.Key.Value is string).Select(i => ((string)i.Key.Value!, i.Value))]
        : throw Operators.Error("a mapping is expected");

    public static string Justify(string s, object?[] a, Fuel fuel, string kind)
    {
        int missing = Math.Max(Width(a[0], fuel) - CodePoints.Count(s), 0);
        string fill = a.Length < 2 || a[1] is null ? " " : Text(a[1]);
        if (CodePoints.Count(fill) != 1)
        {
            throw Operators.Error("The fill character must be exactly one character long");
        }
        // Python's centre leans to the left where the width is odd.
        int left = kind switch { "ljust" => 0, "rjust" => missing, _ => missing / 2 + (missing & (missing + CodePoints.Count(s)) & 1) };
        string Fills(int count) => string.Concat(Enumerable.Repeat(fill, count));
        return Fills(left) + s + Fills(missing - left);
    }

    private static string ZeroFill(string s, int width)
    {
        int missing = Math.Max(width - CodePoints.Count(s), 0), sign = s is ['+' or '-', ..] ? 1 : 0;
        return s[..sign] + new string('0', missing) + s[sign..];
    }

    private static string ExpandTabs(string s, int size, Fuel fuel)
    {
        var to = new StringBuilder();
        int column = 0;
        foreach (Rune rune in s.EnumerateRunes())
        {
            fuel.CheckLength(to.Length + (long)size);
            if (rune.Value == '\t')
            {
                int spaces = size == 0 ? 0 : size - column % size;
                to.Append(' ', spaces);
                column += spaces;
            }
            else
            {
                to.Append(rune);
                column = rune.Value is '\n' or '\r' ? 0 : column + 1;
            }
        }
        return to.ToString();
    }

    private static string Translate(string s, object? table, Fuel fuel)
    {
        var to = new StringBuilder();
        foreach (Rune rune in s.EnumerateRunes())
        {
            object? with = table is TemplateDict dict ? (dict.TryGet(new BigInteger(rune.Value), out object? found) ? found : rune.ToString())
                : throw Operators.Error("a mapping is expected");
            to.Append(with is null ? "" : Operators.IntegerOf(with) is { } code ? char.ConvertFromUtf32((int)code) : Text(with));
            fuel.CheckLength(to.Length);
        }
        return to.ToString();
    }

    private static TemplateDict MakeTranslation(object?[] a)
    {
        var table = new TemplateDict();
        string[] from = CodePoints.Split(Text(a[0])), to = CodePoints.Split(Text(a[1]));
        if (from.Length != to.Length)
        {
            throw Operators.Error("the first two maketrans arguments must have equal length");
        }
        BigInteger Code(string character) => Rune.GetRuneAt(character, 0).Value;
        for (int i = 0; i < from.Length; i++)
        {
            table.Items[new Key(Code(from[i]))] = Code(to[i]);
        }
        foreach (string removed in a[2] is null ? [] : CodePoints.Split(Text(a[2])))
        {
            table.Items[new Key(Code(removed))] = null;
        }
        return table;
    }

    private static object All(string s, Func<Rune, bool> test) => s.Length > 0 && s.EnumerateRunes().All(test);

    private static bool IsNumeric(Rune rune) => CharUnicodeInfo.GetNumericValue(rune.ToString(), 0) >= 0 || rune.Value is 0x3007 or >= 0x4E00 and <= 0x9FFF && "一二三四五六七八九十百千万億兆".Contains(rune.ToString(), StringComparison.Ordinal);

    public static bool HasCase(string s, UnicodeCategory wanted)
    {
        var cased = s.EnumerateRunes().Where(CaseMapping.IsCased).ToList();
        return cased.Count > 0 && cased.TrueForAll(r => Rune.GetUnicodeCategory(r) == wanted);
    }

    private static object IsTitle(string s)
    {
        bool any = false, inside = false;
        foreach (Rune rune in s.EnumerateRunes())
        {
            bool cased = CaseMapping.IsCased(rune);
            if (cased && inside == (Rune.GetUnicodeCategory(rune) != UnicodeCategory.LowercaseLetter))
            {
                return false;
            }
            (any, inside) = (any || cased, cased);
        }
        return any;
    }

    private static object IsIdentifier(string s) => s.Length > 0 && !char.IsAsciiDigit(s[0]) && s.EnumerateRunes().All(r => r.Value == '_' || Rune.IsLetterOrDigit(r));
}
