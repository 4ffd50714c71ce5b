using System.Numerics;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Filters on sequences and mappings.</summary>
internal static class SequenceFilters
{
    public static IEnumerable<KeyValuePair<string, Filters.Filter>> All { get; } = new Dictionary<string, Filters.Filter>
    {
        ["list"] = (x, _, f) => new TemplateList([.. Operators.Iterate(x, f)]),
        ["length"] = (x, _, _) => Operators.Length(x),
        ["count"] = (x, _, _) => Operators.Length(x),
        ["first"] = (x, _, f) => FirstOr(Operators.Iterate(x, f), "no first item, sequence was empty"),
        ["last"] = (x, _, f) => x is Generator or Undefined
            ? x is Undefined ? new Undefined("no last item, sequence was empty") : throw Operators.Error("'generator' object is not reversible")
            : FirstOr(Operators.Iterate(x, f).Reverse(), "no last item, sequence was empty"),
        ["reverse"] = (x, _, f) => Operators.TextOf(x) is { } s ? string.Concat(CodePoints.Split(s).Reverse()) : new Generator([.. Operators.Iterate(x, f).Reverse()]),
        ["join"] = Join,
        ["sort"] = Sort,
        ["unique"] = Unique,
        ["min"] = (x, a, f) => Extreme(x, a, f, -1),
        ["max"] = (x, a, f) => Extreme(x, a, f, 1),
        ["sum"] = Sum,
        ["map"] = Map,
        ["select"] = (x, a, f) => Select(x, a, f, wanted: true, byAttribute: false),
        ["reject"] = (x, a, f) => Select(x, a, f, wanted: false, byAttribute: false),
        ["selectattr"] = (x, a, f) => Select(x, a, f, wanted: true, byAttribute: true),
        ["rejectattr"] = (x, a, f) => Select(x, a, f, wanted: false, byAttribute: true),
        ["groupby"] = GroupBy,
        ["dictsort"] = DictSort,
        ["batch"] = Batch,
        ["slice"] = Slice,
    };

    private static object? FirstOr(IEnumerable<object?> items, string problem)
    {
        foreach (object? item in items)
        {
            return item;
        }
        return new Undefined(problem);
    }

    // "a.b.0": attributes and items in a row. Null takes the item itself.
    private static Func<object?, object?> Getter(object? attribute, Fuel fuel, object? fallback = null)
    {
        if (attribute is null)
        {
            return x => x;
        }
        object?[] path = Operators.TextOf(attribute) is { } text
            ? [.. text.Split('.').Select(p => p.Length > 0 && p.All(char.IsAsciiDigit) ? PythonText.ParseDigits(p, 10) : (object?)p)]
            : [attribute];
        return x =>
        {
            foreach (object? part in path)
            {
                x = Attributes.Item(x, part, fuel);
                x = x is Undefined && fallback is not null ? fallback : x;
            }
            return x;
        };
    }

    private static object? Folded(object? value, bool caseSensitive) => !caseSensitive && Operators.TextOf(value) is { } text ? CaseMapping.Lower(text) : value;

    private static Comparer<object?> Order(Fuel fuel) => Comparer<object?>.Create((a, b) =>
    {
        fuel.Step();
        return a is TemplateTuple x && b is TemplateTuple y ? Operators.Compare(x, y) : Operators.Compare(a, b);
    });

    // Sorting calls back into comparisons, whose errors the runtime wraps.
    private static List<object?> Sorted(IEnumerable<object?> items, Func<object?, object?> key, bool descending, Fuel fuel)
    {
        List<(object? Key, object? Item)> keyed = [.. items.Select(i => (key(i), i))];
        try
        {
            return [.. (descending ? keyed.OrderByDescending(k => k.Key, Order(fuel)) : keyed.OrderBy(k => k.Key, Order(fuel))).Select(k => k.Item)];
        }
        catch (InvalidOperationException e) when (e.InnerException is ChatTemplateException inner)
        {
            throw inner;
        }
    }

    private static object? Join(object? x, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("join", ("d", ""), ("attribute", null));
        Func<object?, object?> get = Getter(a[1], fuel);
        return StringMethods.Join(PythonText.Str(a[0], fuel), new Generator(Operators.Iterate(x, fuel).Select(i => (object?)PythonText.Str(get(i), fuel))), fuel);
    }

    private static object? Sort(object? x, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("sort", ("reverse", false), ("case_sensitive", false), ("attribute", null));
        bool sensitive = Operators.IsTrue(a[1]);
        Func<object?, object?>[] getters = Operators.TextOf(a[2]) is { } names && names.Contains(',')
            ? [.. names.Split(',').Select(n => Getter(n, fuel))]
            : [Getter(a[2], fuel)];
        object? SortKey(object? item) => getters.Length == 1
            ? Folded(getters[0](item), sensitive)
            : new TemplateTuple([.. getters.Select(g => Folded(g(item), sensitive))]);
        return new TemplateList(Sorted(Operators.Iterate(x, fuel), SortKey, Operators.IsTrue(a[0]), fuel));
    }

    private static object? Unique(object? x, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("unique", ("case_sensitive", false), ("attribute", null));
        Func<object?, object?> get = Getter(a[1], fuel);
        IEnumerable<object?> Items()
        {
            var seen = new HashSet<Key>();
            foreach (object? item in Operators.Iterate(x, fuel))
            {
                if (seen.Add(new Key(Folded(get(item), Operators.IsTrue(a[0])))))
                {
                    yield return item;
                }
            }
        }
        return new Generator(Items());
    }

    private static object? Extreme(object? x, Arguments arguments, Fuel fuel, int sign)
    {
        object?[] a = arguments.Bind(sign < 0 ? "min" : "max", ("case_sensitive", false), ("attribute", null));
        Func<object?, object?> get = Getter(a[1], fuel);
        object? best = new Undefined("no aggregated item, sequence was empty"), bestKey = null;
        bool any = false;
        foreach (object? item in Operators.Iterate(x, fuel))
        {
            object? key = Folded(get(item), Operators.IsTrue(a[0]));
            if (!any || Operators.Compare(key, bestKey) * sign > 0)
            {
                (best, bestKey, any) = (item, key, true);
            }
        }
        return best;
    }

    private static object? Sum(object? x, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("sum", ("attribute", null), ("start", BigInteger.Zero));
        Func<object?, object?> get = Getter(a[0], fuel);
        if (Operators.TextOf(a[1]) is not null)
        {
            throw Operators.Error("sum() can't sum strings");
        }
        return Operators.Iterate(x, fuel).Aggregate(a[1], (sum, item) => Operators.Apply("+", sum, get(item), fuel));
    }

    // These filters take whatever is false as empty.
    private static IEnumerable<object?> Present(object? x, Fuel fuel) => Operators.IsTrue(x) ? Operators.Iterate(x, fuel) : [];

    private static object? Map(object? x, Arguments arguments, Fuel fuel)
    {
        if (arguments.Positional.Count == 0 && arguments.Named.Exists(n => n.Name == "attribute"))
        {
            object?[] a = arguments.Bind("map", ("attribute", null), ("default", null));
            Func<object?, object?> get = Getter(a[0], fuel, a[1]);
            return new Generator(Present(x, fuel).Select(get));
        }
        string name = arguments.Positional.Count > 0 ? PythonText.Str(arguments.Positional[0], fuel) : throw Operators.Error("map requires a filter argument");
        if (!Filters.Exists(name))
        {
            throw Operators.Error($"no filter is named '{name}'");
        }
        var rest = new Arguments(arguments.Positional[1..], arguments.Named);
        return new Generator(Present(x, fuel).Select(item => Filters.Apply(name, item, rest, fuel)));
    }

    private static object? Select(object? x, Arguments arguments, Fuel fuel, bool wanted, bool byAttribute)
    {
        List<object?> positional = arguments.Positional;
        Func<object?, object?> get = v => v;
        if (byAttribute)
        {
            get = Getter(positional.Count > 0 ? positional[0] : throw Operators.Error("the name of an attribute is missing"), fuel);
            positional = positional[1..];
        }
        if (positional.Count == 0)
        {
            return new Generator(Present(x, fuel).Where(i => Operators.IsTrue(get(i)) == wanted));
        }
        string name = PythonText.Str(positional[0], fuel);
        if (!Tests.Exists(name))
        {
            throw Operators.Error($"no test is named '{name}'");
        }
        var rest = new Arguments(positional[1..], arguments.Named);
        return new Generator(Present(x, fuel).Where(i => Tests.Apply(name, get(i), rest, fuel) == wanted));
    }

    private static object? GroupBy(object? x, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("groupby", ("attribute", Arguments.Required), ("default", null), ("case_sensitive", false));
        bool sensitive = Operators.IsTrue(a[2]);
        Func<object?, object?> get = Getter(a[0], fuel, a[1]);
        var groups = new List<object?>();
        object? lastKey = null;
        foreach (object? item in Sorted(Operators.Iterate(x, fuel), i => Folded(get(i), sensitive), descending: false, fuel))
        {
            object? key = Folded(get(item), sensitive);
            if (groups.Count == 0 || !Operators.AreEqual(key, lastKey))
            {
                // The name of a group is written as its first member has it.
                groups.Add(new Group(get(item), new TemplateList([])));
            }
            ((Group)groups[^1]!).List.Items.Add(item);
            lastKey = key;
        }
        return new TemplateList(groups);
    }

    private static object? DictSort(object? x, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("dictsort", ("case_sensitive", false), ("by", "key"), ("reverse", false));
        TemplateDict dict = x as TemplateDict ?? throw (x as Undefined)?.Error() ?? Operators.Error("dictsort needs a mapping");
        int part = Operators.TextOf(a[1]) switch { "key" => 0, "value" => 1, _ => throw Operators.Error("you can only sort by either \"key\" or \"value\"") };
        return new TemplateList(Sorted(new DictView("items", dict).Items, i => Folded(((TemplateTuple)i!).Items[part], Operators.IsTrue(a[0])), Operators.IsTrue(a[2]), fuel));
    }

    private static object? Batch(object? x, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("batch", ("linecount", Arguments.Required), ("fill_with", null));
        BigInteger count = StringMethods.Integer(a[0]);
        IEnumerable<object?> Batches()
        {
            var line = new List<object?>();
            foreach (object? item in Operators.Iterate(x, fuel))
            {
                if (line.Count == count)
                {
                    yield return new TemplateList(line);
                    line = [];
                }
                line.Add(item);
            }
            if (line.Count > 0)
            {
                while (a[1] is not null && line.Count < count)
                {
                    fuel.Step();
                    line.Add(a[1]);
                }
                yield return new TemplateList(line);
            }
        }
        return new Generator(Batches());
    }

    private static object? Slice(object? x, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("slice", ("slices", Arguments.Required), ("fill_with", null));
        BigInteger slices = StringMethods.Integer(a[0]);
        List<object?> items = [.. Operators.Iterate(x, fuel)];
        IEnumerable<object?> Slices()
        {
            if (slices.IsZero)
            {
                throw Operators.Error("integer division or modulo by zero");
            }
            int at = 0, with = (int)(items.Count % slices);
            for (BigInteger i = 0; i < slices; i++)
            {
                fuel.Step();
                int length = (int)(items.Count / slices) + (i < with ? 1 : 0);
                List<object?> part = items.GetRange(at, length);
                at += length;
                if (a[1] is not null && i >= with)
                {
                    part.Add(a[1]);
                }
                yield return new TemplateList(part);
            }
        }
        return new Generator(Slices());
    }
}
