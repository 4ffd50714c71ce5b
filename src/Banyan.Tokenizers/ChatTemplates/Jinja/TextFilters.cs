using System.Net;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Filters on texts.</summary>
internal static partial class TextFilters
{
    private const int MatchMilliseconds = 100;

    public static IEnumerable<KeyValuePair<string, Filters.Filter>> All { get; } = new Dictionary<string, Filters.Filter>
    {
        ["string"] = (x, _, f) => x is SafeText ? x : PythonText.Str(x, f),
        ["upper"] = (x, _, f) => Like(x, CaseMapping.Upper(Soft(x, f))),
        ["lower"] = (x, _, f) => Like(x, CaseMapping.Lower(Soft(x, f))),
        ["capitalize"] = (x, _, f) => Like(x, CaseMapping.Capitalize(Soft(x, f))),
        ["title"] = (x, _, f) => string.Concat(WordBeginning().Split(Soft(x, f)).Where(w => w.Length > 0).Select(TitleWord)),
        ["trim"] = (x, a, f) => Like(x, StringMethods.Strip(Soft(x, f), a.Bind("trim", ("chars", null))[0], left: true, right: true)),
        ["replace"] = Replace,
        ["center"] = (x, a, f) => StringMethods.Justify(Soft(x, f), [a.Bind("center", ("width", new BigInteger(80)))[0], null], f, "center"),
        ["format"] = Format,
        ["e"] = Escape,
        ["escape"] = Escape,
        ["forceescape"] = (x, _, f) => new SafeText(Html.Escape(PythonText.Str(x, f), f)),
        ["safe"] = (x, _, f) => new SafeText(PythonText.Str(x, f)),
        ["striptags"] = (x, _, f) => StripTags(Soft(x, f)),
        ["indent"] = Indent,
        ["truncate"] = Truncate,
        ["wordcount"] = (x, _, f) => new BigInteger(Word().Count(Soft(x, f))),
        ["wordwrap"] = WordWrap,
        ["urlencode"] = UrlEncode,
        ["urlize"] = Urlize,
        ["xmlattr"] = XmlAttributes,
        ["pprint"] = (x, _, f) => PrettyPrint(x, 0, f),
    };

    private static string Soft(object? value, Fuel fuel)
    {
        string text = PythonText.Str(value, fuel);
        fuel.Text(text.Length);
        return text;
    }

    // Where Jinja calls a method of the text itself, other values have none.
    private static string Strict(object? value, Fuel fuel) => Operators.TextOf(value) is not null
        ? Soft(value, fuel)
        : throw (value as Undefined)?.Error() ?? Operators.Error($"a text is expected, not '{Operators.TypeName(value)}'");

    private static object Like(object? input, string result) => input is SafeText ? new SafeText(result) : result;

    private static string TitleWord(string word)
    {
        int first = char.IsSurrogatePair(word, 0) ? 2 : 1;
        return CaseMapping.Upper(word[..first]) + CaseMapping.Lower(word[first..]);
    }

    private static object? Escape(object? input, Arguments arguments, Fuel fuel) => input as SafeText ?? new SafeText(Html.EscapeUnsafe(input, fuel));

    private static object? Replace(object? input, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("replace", ("old", Arguments.Required), ("new", Arguments.Required), ("count", null));
        return StringMethods.Replace(Soft(input, fuel), [PythonText.Str(a[0], fuel), PythonText.Str(a[1], fuel), a[2]], fuel);
    }

    private static object? Format(object? input, Arguments arguments, Fuel fuel)
    {
        if (arguments.Positional.Count > 0 && arguments.Named.Count > 0)
        {
            throw Operators.Error("can't handle positional and keyword arguments at the same time");
        }
        var named = new TemplateDict();
        arguments.Named.ForEach(n => named[n.Name] = n.Value);
        object values = arguments.Named.Count > 0 ? named : new TemplateTuple([.. arguments.Positional]);
        return Printf.Format(input as SafeText ?? (object)Soft(input, fuel), values, fuel);
    }

    private static string StripTags(string text)
    {
        text = Tag().Replace(Comment().Replace(text, ""), "");
        return WebUtility.HtmlDecode(string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
    }

    private static object? Indent(object? input, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("indent", ("width", new BigInteger(4)), ("first", false), ("blank", false));
        string indent = Operators.TextOf(a[0]) ?? StringMethods.Justify("", [a[0], null], fuel, "ljust");
        List<string> lines = StringMethods.Lines(Strict(input, fuel) + "\n");
        bool blank = Operators.IsTrue(a[2]);
        var to = new StringBuilder(Operators.IsTrue(a[1]) ? indent : "").Append(lines[0]);
        foreach (string line in lines.Skip(1))
        {
            fuel.Step();
            fuel.CheckLength(to.Length);
            to.Append('\n').Append(blank || line.Length > 0 ? indent : "").Append(line);
        }
        return Like(input, to.ToString());
    }

    private static object? Truncate(object? input, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("truncate", ("length", new BigInteger(255)), ("killwords", false), ("end", "..."), ("leeway", null));
        string text = Soft(input, fuel), end = PythonText.Str(a[2], fuel);
        BigInteger length = StringMethods.Integer(a[0]), leeway = a[3] is null ? 5 : StringMethods.Integer(a[3]);
        if (length < CodePoints.Count(end) || leeway < 0)
        {
            throw Operators.Error(leeway < 0 ? $"expected leeway >= 0, got {leeway}" : $"expected length >= {CodePoints.Count(end)}, got {length}");
        }
        if (CodePoints.Count(text) <= length + leeway)
        {
            return text;
        }
        string cut = text[..CodePoints.Offset(text, (int)length - CodePoints.Count(end))];
        int space = Operators.IsTrue(a[1]) ? -1 : cut.LastIndexOf(' ');
        return (space < 0 ? cut : cut[..space]) + end;
    }

    private static object? WordWrap(object? input, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("wordwrap", ("width", new BigInteger(79)), ("break_long_words", true), ("wrapstring", null), ("break_on_hyphens", true));
        BigInteger width = StringMethods.Integer(a[0]);
        string separator = a[2] is null ? "\n" : PythonText.Str(a[2], fuel);
        if (width <= 0)
        {
            throw Operators.Error($"invalid width {width} (must be > 0)");
        }
        var lines = StringMethods.Lines(Strict(input, fuel)).Select(line =>
            string.Join(separator, Wrap(line, (int)BigInteger.Min(width, int.MaxValue), Operators.IsTrue(a[1]), Operators.IsTrue(a[3]), fuel)));
        return string.Join(separator, lines);
    }

    // Python's textwrap: chunks (words and the spaces between them) fill lines; spaces at a break are dropped.
    private static List<string> Wrap(string line, int width, bool breakWords, bool breakHyphens, Fuel fuel)
    {
        var chunks = new Queue<string>((breakHyphens ? HyphenChunk() : PlainChunk()).Split(line).Where(c => c.Length > 0));
        var lines = new List<string>();
        string? rest = null;
        while (chunks.Count > 0 || rest is not null)
        {
            var current = new List<string>();
            int used = 0;
            string Head() => rest ?? chunks.Peek();
            void Take()
            {
                if (rest is null)
                {
                    chunks.Dequeue();
                }
                rest = null;
            }
            if (PythonText.TrimEnd(Head()).Length == 0 && lines.Count > 0)
            {
                Take();
            }
            while ((chunks.Count > 0 || rest is not null) && used + CodePoints.Count(Head()) <= width)
            {
                fuel.Step();
                current.Add(Head());
                used += CodePoints.Count(Head());
                Take();
            }
            if ((chunks.Count > 0 || rest is not null) && CodePoints.Count(Head()) > width)
            {
                string word = Head();
                int space = Math.Max(width - used, 1);
                if (breakWords)
                {
                    int end = BreakAt(word, space, breakHyphens);
                    Take();
                    current.Add(word[..end]);
                    rest = word[end..];
                }
                else if (current.Count == 0)
                {
                    current.Add(word);
                    Take();
                }
            }
            if (current.Count > 0 && PythonText.TrimEnd(current[^1]).Length == 0)
            {
                current.RemoveAt(current.Count - 1);
            }
            if (current.Count > 0)
            {
                lines.Add(string.Concat(current));
            }
        }
        return lines;
    }

    private static int BreakAt(string word, int space, bool breakHyphens)
    {
        int end = CodePoints.Offset(word, space);
        int hyphen = breakHyphens ? word.LastIndexOf('-', Math.Max(end - 1, 0)) : -1;
        return hyphen > 0 && word[..hyphen].Any(c => c != '-') ? hyphen + 1 : end;
    }

    private static object? UrlEncode(object? input, Arguments arguments, Fuel fuel)
    {
        if (Operators.TextOf(input) is not null || input is not (TemplateDict or TemplateList or TemplateTuple or Generator))
        {
            return Quote(Soft(input, fuel), keepsSlash: true, plus: false);
        }
        IEnumerable<object?> pairs = input is TemplateDict dict ? new DictView("items", dict).Items : Operators.Iterate(input, fuel);
        return string.Join('&', pairs.Select(pair =>
        {
            object?[] parts = [.. Operators.Iterate(pair, fuel)];
            return parts.Length == 2
                ? Quote(Soft(parts[0], fuel), false, true) + "=" + Quote(Soft(parts[1], fuel), false, true)
                : throw Operators.Error("urlencode needs pairs");
        }));
    }

    private static string Quote(string text, bool keepsSlash, bool plus)
    {
        var to = new StringBuilder();
        foreach (byte b in System.Text.Encoding.UTF8.GetBytes(text))
        {
            char c = (char)b;
            if (char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or '~' || (c == '/' && keepsSlash))
            {
                to.Append(c);
            }
            else
            {
                _ = c == ' ' && plus ? to.Append('+') : to.Append($"%{b:X2}");
            }
        }
        return to.ToString();
    }

    private static object? Urlize(object? input, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("urlize", ("trim_url_limit", null), ("nofollow", false), ("target", null), ("rel", null), ("extra_schemes", null));
        int? limit = a[0] is null ? null : (int)BigInteger.Clamp(StringMethods.Integer(a[0]), 0, int.MaxValue);
        var rels = new SortedSet<string>((Operators.TextOf(a[3]) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries), StringComparer.Ordinal) { "noopener" };
        if (Operators.IsTrue(a[1]))
        {
            rels.Add("nofollow");
        }
        string attributes = $" rel=\"{Html.Escape(string.Join(' ', rels), fuel)}\"" + (a[2] is null ? "" : $" target=\"{Html.EscapeUnsafe(a[2], fuel)}\"");
        string text = Html.Escape(Soft(input, fuel), fuel);
        return string.Concat(Spaces().Split(text).Select(word => Linked(word, limit, attributes)));
    }

    // Punctuation around a word stays outside of its link.
    private static string Linked(string word, int? limit, string attributes)
    {
        string head = Head().Match(word).Value, middle = word[head.Length..];
        string tail = Tail().Match(middle).Value;
        middle = middle[..^tail.Length];
        string shown = limit is { } l && middle.Length > l ? middle[..l] + "..." : middle;
        if (WebAddress().IsMatch(middle))
        {
            string target = middle.StartsWith("http://", StringComparison.Ordinal) || middle.StartsWith("https://", StringComparison.Ordinal) ? middle : "https://" + middle;
            middle = $"<a href=\"{target}\"{attributes}>{shown}</a>";
        }
        else if (middle.StartsWith("mailto:", StringComparison.Ordinal) && MailAddress().IsMatch(middle[7..]))
        {
            middle = $"<a href=\"{middle}\">{middle[7..]}</a>";
        }
        else if (!middle.StartsWith("www.", StringComparison.Ordinal) && !middle.Contains(':') && MailAddress().IsMatch(middle))
        {
            middle = $"<a href=\"mailto:{middle}\">{middle}</a>";
        }
        return head + middle + tail;
    }

    private static object? XmlAttributes(object? input, Arguments arguments, Fuel fuel)
    {
        bool space = Operators.IsTrue(arguments.Bind("xmlattr", ("autospace", true))[0]);
        TemplateDict dict = input as TemplateDict ?? throw (input as Undefined)?.Error() ?? Operators.Error("xmlattr needs a mapping");
        var items = new List<string>();
        foreach ((Key key, object? value) in dict.Items)
        {
            if (value is null or Undefined)
            {
                continue;
            }
            string name = PythonText.Str(key.Value, fuel);
            if (name.AsSpan().IndexOfAny(" \t\n\r\f/>=") >= 0)
            {
                throw Operators.Error($"invalid character in attribute name: '{name}'");
            }
            items.Add($"{Html.Escape(name, fuel)}=\"{Html.EscapeUnsafe(value, fuel)}\"");
        }
        string text = string.Join(' ', items);
        return space && text.Length > 0 ? " " + text : text;
    }

    // Python's pprint: what does not fit in 80 columns has an item in each line; keys are sorted.
    private static string PrettyPrint(object? value, int indent, Fuel fuel)
    {
        using Fuel.Level level = fuel.Enter();
        object? sorted = SortedKeys(value, fuel);
        string flat = PythonText.Repr(sorted, fuel);
        if (flat.Length <= 80 - indent || sorted is not (TemplateList or TemplateDict or TemplateTuple))
        {
            return flat;
        }
        string separator = ",\n" + new string(' ', indent + 1);
        return sorted switch
        {
            TemplateList l => "[" + string.Join(separator, l.Items.Select(i => PrettyPrint(i, indent + 1, fuel))) + "]",
            TemplateTuple t => "(" + string.Join(separator, t.Items.Select(i => PrettyPrint(i, indent + 1, fuel))) + ")",
            _ => "{" + string.Join(separator, ((TemplateDict)sorted).Items.Select(i =>
                PythonText.Repr(i.Key.Value, fuel) is var key ? $"{key}: {PrettyPrint(i.Value, indent + key.Length + 3, fuel)}" : "")) + "}",
        };
    }

    private static object? SortedKeys(object? value, Fuel fuel)
    {
        using Fuel.Level level = fuel.Enter();
        if (value is TemplateList list)
        {
            return new TemplateList([.. list.Items.Select(i => SortedKeys(i, fuel))]);
        }
        if (value is not TemplateDict dict)
        {
            return value;
        }
        var sorted = new TemplateDict();
        foreach ((Key key, object? item) in dict.Items.OrderBy(i => PythonText.Str(i.Key.Value, fuel), StringComparer.Ordinal))
        {
            sorted.Items[key] = SortedKeys(item, fuel);
        }
        return sorted;
    }

    [GeneratedRegex(@"([-\s({\[<]+)", RegexOptions.None, MatchMilliseconds)]
    private static partial Regex WordBeginning();

    [GeneratedRegex(@"\w+", RegexOptions.None, MatchMilliseconds)]
    private static partial Regex Word();

    [GeneratedRegex(@"(\s+)", RegexOptions.None, MatchMilliseconds)]
    private static partial Regex Spaces();

    [GeneratedRegex(@"<!--.*?-->", RegexOptions.Singleline, MatchMilliseconds)]
    private static partial Regex Comment();

    [GeneratedRegex(@"<.*?>", RegexOptions.Singleline, MatchMilliseconds)]
    private static partial Regex Tag();

    [GeneratedRegex(@"([\t\n\v\f\r ]+)", RegexOptions.None, MatchMilliseconds)]
    private static partial Regex PlainChunk();

    [GeneratedRegex(@"([\t\n\v\f\r ]+|(?<=[\w!""'&.,?])-{2,}(?=\w)|[^\t\n\v\f\r ]+?(?:-(?:(?<=[^\d\W]{2}-)|(?<=[^\d\W]-[^\d\W]-))(?=[^\d\W]-?[^\d\W])|(?=[\t\n\v\f\r ]|\z)|(?<=[\w!""'&.,?])(?=-{2,}\w)))", RegexOptions.None, MatchMilliseconds)]
    private static partial Regex HyphenChunk();

    [GeneratedRegex(@"^(?:[(<]|&lt;)+", RegexOptions.None, MatchMilliseconds)]
    private static partial Regex Head();

    [GeneratedRegex(@"(?:[)>.,\n]|&gt;)+$", RegexOptions.None, MatchMilliseconds)]
    private static partial Regex Tail();

    [GeneratedRegex(@"^(?:https?://(?:[^\s:@/]+(?::[^\s:@/]*)?@)?|www\.)[^\s]+\.?[^\s]*$", RegexOptions.IgnoreCase, MatchMilliseconds)]
    private static partial Regex WebAddress();

    [GeneratedRegex(@"^\S+@\w[\w.-]*\.\w+$", RegexOptions.None, MatchMilliseconds)]
    private static partial Regex MailAddress();
}
