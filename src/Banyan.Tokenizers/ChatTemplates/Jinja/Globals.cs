using System.Globalization;
using System.Numerics;
using System.Text;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>The functions that every template has.</summary>
internal static class Globals
{
    public static Dictionary<string, object?> Create(Fuel fuel, TimeProvider clock) => new()
    {
        ["range"] = new Function("range", Range),
        ["dict"] = new Function("dict", a => Dict(a, fuel)),
        ["namespace"] = new Function("namespace", a => NewNamespace(a, fuel)),
        ["cycler"] = new Function("cycler", a => a.Positional.Count > 0 ? new Cycler(a.Positional) : throw Operators.Error("at least one item has to be provided")),
        ["joiner"] = new Function("joiner", Joiner),
        ["lipsum"] = new Function("lipsum", a => Lipsum(a, fuel)),
        ["raise_exception"] = new Function("raise_exception", a => throw new ChatTemplateException(ChatTemplateError.Raised, PythonText.Str(a.Bind("raise_exception", ("message", Arguments.Required))[0], fuel))),
        ["strftime_now"] = new Function("strftime_now", a => Time(clock.GetLocalNow(), PythonText.Str(a.Bind("strftime_now", ("format", Arguments.Required))[0], fuel))),
    };

    // Jinja's is random; here a template prints the same each time.
    private static string Lipsum(Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("lipsum", ("n", new BigInteger(5)), ("html", true), ("min", new BigInteger(20)), ("max", new BigInteger(100)));
        const string Words = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua. ";
        string paragraph = string.Concat(Enumerable.Repeat(Words, 4)).TrimEnd();
        paragraph = Operators.IsTrue(a[1]) ? $"<p>{paragraph}</p>" : paragraph;
        BigInteger count = BigInteger.Max(StringMethods.Integer(a[0]), 0);
        fuel.Text((long)BigInteger.Min(count * (paragraph.Length + 2), long.MaxValue));
        return string.Join("\n\n", Enumerable.Repeat(paragraph, (int)count));
    }

    private static object Range(Arguments arguments)
    {
        object?[] a = arguments.Places("range", 1, 3);
        BigInteger step = arguments.Positional.Count > 2 ? StringMethods.Integer(a[2]) : 1;
        if (step.IsZero)
        {
            throw Operators.Error("range() arg 3 must not be zero");
        }
        BigInteger first = StringMethods.Integer(a[0]);
        var range = arguments.Positional.Count == 1 ? new TemplateRange(0, first, step) : new TemplateRange(first, StringMethods.Integer(a[1]), step);
        return range.Length <= TemplateRange.MaxItems ? range
            : throw new ChatTemplateException(ChatTemplateError.Limit, $"a range of more than {TemplateRange.MaxItems:N0} items is refused");
    }

    private static TemplateDict Dict(Arguments arguments, Fuel fuel)
    {
        var dict = arguments.Positional.Count > 1 ? throw Operators.Error("dict expected at most 1 argument") : new TemplateDict();
        foreach (object? source in arguments.Positional)
        {
            if (source is TemplateDict other)
            {
                dict = other.Copy();
                continue;
            }
            foreach (object? pair in Operators.Iterate(source, fuel))
            {
                object?[] items = [.. Operators.Iterate(pair, fuel)];
                dict.Items[new Key(items.Length == 2 ? items[0] : throw Operators.Error("dict needs pairs"))] = items[1];
            }
        }
        arguments.Named.ForEach(n => dict[n.Name] = n.Value);
        return dict;
    }

    private static Namespace NewNamespace(Arguments arguments, Fuel fuel)
    {
        var created = new Namespace();
        foreach ((Key key, object? value) in Dict(arguments, fuel).Items)
        {
            CheckAttribute(key.Value);
            created.Attributes.Items[key] = value;
        }
        return created;
    }

    /// <summary>Refuses a name that an attribute of a namespace may not have.</summary>
    public static void CheckAttribute(object? name)
    {
        if (Operators.TextOf(name) is ['_', ..])
        {
            throw new ChatTemplateException(ChatTemplateError.Security, "attributes of a namespace do not begin with an underscore");
        }
    }

    private static Function Joiner(Arguments arguments)
    {
        object? separator = arguments.Bind("joiner", ("sep", ", "))[0];
        bool used = false;
        return new Function("joiner", _ =>
        {
            (bool before, used) = (used, true);
            return before ? separator : "";
        });
    }

    /// <summary><c>dict.fromkeys</c>.</summary>
    public static Function FromKeys(Fuel fuel) => new("fromkeys", arguments =>
    {
        object?[] a = arguments.Places("fromkeys", 1, 2);
        var dict = new TemplateDict();
        foreach (object? key in Operators.Iterate(a[0], fuel))
        {
            dict.Items[new Key(key)] = a[1];
        }
        return dict;
    });

    // C's strftime in the C locale.
    private static string Time(DateTimeOffset time, string format)
    {
        var to = new StringBuilder();
        string Net(string net) => time.ToString(net, CultureInfo.InvariantCulture);
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                to.Append(format[i]);
                continue;
            }
            char code = format[++i];
            bool bare = code == '-' && i + 1 < format.Length;
            code = bare ? format[++i] : code;
            string text = code switch
            {
                'a' => Net("ddd"), 'A' => Net("dddd"), 'b' or 'h' => Net("MMM"), 'B' => Net("MMMM"),
                'd' => Net("dd"), 'e' => $"{time.Day,2}", 'm' => Net("MM"), 'y' => Net("yy"), 'Y' => Net("yyyy"),
                'H' => Net("HH"), 'I' => Net("hh"), 'M' => Net("mm"), 'S' => Net("ss"), 'p' => Net("tt"), 'f' => Net("ffffff"),
                'j' => $"{time.DayOfYear:000}", 'w' => $"{(int)time.DayOfWeek}", 'u' => $"{((int)time.DayOfWeek + 6) % 7 + 1}",
                'D' or 'x' => Net("MM'/'dd'/'yy"), 'F' => Net("yyyy'-'MM'-'dd"), 'T' or 'X' => Net("HH':'mm':'ss"), 'R' => Net("HH':'mm"),
                'c' => $"{Net("ddd MMM")} {time.Day,2} {Net("HH':'mm':'ss yyyy")}",
                'U' => $"{(time.DayOfYear + 6 - (int)time.DayOfWeek) / 7:00}", 'W' => $"{(time.DayOfYear + 6 - ((int)time.DayOfWeek + 6) % 7) / 7:00}",
                'V' => $"{ISOWeek.GetWeekOfYear(time.DateTime):00}", 'G' => $"{ISOWeek.GetYear(time.DateTime)}", 'C' => $"{time.Year / 100:00}",
                'n' => "\n", 't' => "\t", '%' => "%", 'z' or 'Z' => "", 's' => $"{time.ToUnixTimeSeconds()}",
                _ => "%" + code,
            };
            to.Append(bare ? text.TrimStart('0') is { Length: > 0 } trimmed ? trimmed : "0" : text);
        }
        return to.ToString();
    }
}
