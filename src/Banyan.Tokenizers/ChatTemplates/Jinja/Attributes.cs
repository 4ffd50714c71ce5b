using System.Numerics;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>What <c>x.name</c> and <c>x[key]</c> find: methods and items of the values of a template, and nothing of .NET.</summary>
internal static class Attributes
{
    private static readonly Dictionary<string, string[]> s_changing = new()
    {
        ["list"] = ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"],
        ["dict"] = ["clear", "pop", "popitem", "setdefault", "update"],
    };

    /// <summary>An attribute; else the item of that name.</summary>
    public static object? Get(object? value, string name, Fuel fuel)
    {
        fuel.Step();
        if (value is Undefined undefined)
        {
            throw undefined.Error();
        }
        return TryAttribute(value, name, fuel, out object? found) || TryItem(value, name, out found) ? found : Missing(value, name);
    }

    /// <summary>An item; else the attribute of that name.</summary>
    public static object? Item(object? value, object? key, Fuel fuel)
    {
        fuel.Step();
        if (value is Undefined undefined)
        {
            throw undefined.Error();
        }
        return TryItem(value, key, out object? found) || (Operators.TextOf(key) is { } name && TryAttribute(value, name, fuel, out found)) ? found : Missing(value, key);
    }

    /// <summary>Only an attribute, as the filter <c>attr</c> finds it.</summary>
    public static object? Only(object? value, string name, Fuel fuel) => TryAttribute(value, name, fuel, out object? found) ? found : Missing(value, name);

    private static Undefined Missing(object? value, object? key) =>
        new($"'{Operators.TypeName(value)} object' has no attribute '{Operators.TextOf(key) ?? Operators.TypeName(key)}'");

    private static bool TryAttribute(object? value, string name, Fuel fuel, out object? found)
    {
        if (name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal))
        {
            found = new Undefined($"access to attribute '{name}' of '{Operators.TypeName(value)}' object is unsafe", ChatTemplateError.Security);
            return true;
        }
        if (s_changing.GetValueOrDefault(Operators.TypeName(value))?.Contains(name) == true)
        {
            found = new Undefined($"access to attribute '{name}' of '{Operators.TypeName(value)}' object is unsafe: it changes the object", ChatTemplateError.Security);
            return true;
        }
        switch (value)
        {
            case Namespace n: return n.Attributes.TryGet(name, out found);
            case Group g when name is "grouper" or "list": found = name == "list" ? g.List : g.Grouper; return true;
            case LoopState loop: return loop.TryGet(name, out found);
            default:
                found = Method(value, name, fuel) ?? (object?)Property(value, name);
                return found is not null;
        }
    }

    private static object? Property(object? value, string name) => (value, name) switch
    {
        (TemplateRange r, "start") => r.Start,
        (TemplateRange r, "stop") => r.Stop,
        (TemplateRange r, "step") => r.Step,
        (BigInteger or bool, "real" or "numerator") => Operators.IntegerOf(value),
        (BigInteger or bool, "imag") => BigInteger.Zero,
        (BigInteger or bool, "denominator") => BigInteger.One,
        (double d, "real") => d,
        (double, "imag") => 0.0,
        (Cycler c, "current") => c.Current,
        (MacroFunction m, "name") => m.Name,
        (MacroFunction m, "catch_kwargs") => m.Uses.Kwargs,
        (MacroFunction m, "catch_varargs") => m.Uses.Varargs,
        (MacroFunction m, "caller") => m.Uses.Caller,
        (MacroFunction m, "arguments") => new TemplateTuple([.. m.Parameters]),
        _ => null,
    };

    private static Function? Method(object? value, string name, Fuel fuel)
    {
        if (Operators.TextOf(value) is not null)
        {
            return StringMethods.Find(value!, name, fuel);
        }
        return (value, name) switch
        {
            (TemplateDict d, "keys" or "values" or "items") => new Function(name, a => { a.Places(name, 0, 0); return new DictView(name, d); }),
            (TemplateDict d, "get") => new Function(name, a => a.Places(name, 1, 2) is var p && d.TryGet(p[0], out object? found) ? found : p[1]),
            (TemplateDict d, "copy") => new Function(name, a => d.Copy()),
            (TemplateDict, "fromkeys") => Globals.FromKeys(fuel),
            (TemplateList l, "copy") => new Function(name, a => new TemplateList([.. l.Items])),
            (TemplateList or TemplateTuple or Group or TemplateRange, "count") =>
                new Function(name, a => a.Places(name, 1, 1) is var p ? new BigInteger(Operators.Iterate(value, fuel).Count(i => Operators.AreEqual(i, p[0]))) : null),
            (TemplateList or TemplateTuple or Group or TemplateRange, "index") => new Function(name, a => Index(value, a.Places(name, 1, 3), fuel)),
            (BigInteger or bool, "bit_length") => new Function(name, _ => new BigInteger(BigInteger.Abs(Operators.IntegerOf(value)!.Value).GetBitLength())),
            (BigInteger or bool, "is_integer") => new Function(name, _ => true),
            (BigInteger or bool, "to_bytes") => new Function(name, a => Bytes(Operators.IntegerOf(value)!.Value, a)),
            (double d, "is_integer") => new Function(name, _ => d == Math.Floor(d) && double.IsFinite(d)),
            (Cycler c, "next") => new Function(name, _ => c.Next()),
            (Cycler c, "reset") => new Function(name, _ => c.Reset()),
            (Function { Name: "dict" }, "fromkeys") => Globals.FromKeys(fuel),
            _ => null,
        };
    }

    private static object Index(object? value, object?[] arguments, Fuel fuel)
    {
        object?[] items = [.. Operators.Iterate(value, fuel)];
        foreach (int i in CodePoints.Slice(Bound(arguments[1]), Bound(arguments[2]), null, items.Length))
        {
            if (Operators.AreEqual(items[i], arguments[0]))
            {
                return new BigInteger(i);
            }
        }
        throw Operators.Error("the value is not in the list");
    }

    private static TemplateBytes Bytes(BigInteger value, Arguments arguments)
    {
        object?[] a = arguments.Bind("to_bytes", ("length", BigInteger.One), ("byteorder", "big"));
        byte[] bytes = value.ToByteArray(isUnsigned: true, isBigEndian: Operators.TextOf(a[1]) == "big");
        int length = (int)BigInteger.Min(StringMethods.Integer(a[0]), 4096), missing = length - bytes.Length;
        return missing < 0 ? throw Operators.Error("int too big to convert")
            : new TemplateBytes(Operators.TextOf(a[1]) == "big" ? [.. new byte[missing], .. bytes] : [.. bytes, .. new byte[missing]]);
    }

    private static BigInteger? Bound(object? value) => value is null ? null : StringMethods.Integer(value);

    private static bool TryItem(object? value, object? key, out object? found)
    {
        found = null;
        switch (value)
        {
            case TemplateDict when key is TemplateList or TemplateDict: return false;
            case TemplateDict dict: return dict.TryGet(key, out found);
            case TemplateRange range when Operators.IntegerOf(key) is { } i && (i < 0 ? i + range.Length : i) is var at && at >= 0 && at < range.Length:
                found = range.At(at);
                return true;
        }
        if (Operators.IntegerOf(key) is not { } index)
        {
            return false;
        }
        if (Operators.TextOf(value) is { } text)
        {
            int length = CodePoints.Count(text);
            BigInteger at = index < 0 ? index + length : index;
            string? one = at >= 0 && at < length ? CodePoints.At(text, (int)at) : null;
            found = one is not null && value is SafeText ? new SafeText(one) : one;
            return found is not null;
        }
        IList<object?>? items = value switch { TemplateList l => l.Items, TemplateTuple t => t.Items, Group g => [g.Grouper, g.List], _ => null };
        BigInteger place = index < 0 ? index + (items?.Count ?? 0) : index;
        if (items is null || place < 0 || place >= items.Count)
        {
            return false;
        }
        found = items[(int)place];
        return true;
    }

    /// <summary><c>x[start:stop:step]</c>.</summary>
    public static object? Slice(object? value, object? start, object? stop, object? step, Fuel fuel)
    {
        if (value is Undefined undefined)
        {
            throw undefined.Error();
        }
        foreach (object? bound in (ReadOnlySpan<object?>)[start, stop, step])
        {
            if (bound is not null && Operators.IntegerOf(bound) is null)
            {
                return Missing(value, "slice");
            }
        }
        IEnumerable<int> Indices(int length)
        {
            fuel.Step(length);
            return CodePoints.Slice(Bound(start), Bound(stop), Bound(step), length);
        }
        if (Operators.TextOf(value) is { } text)
        {
            string[] characters = CodePoints.Split(text);
            string part = string.Concat(Indices(characters.Length).Select(i => characters[i]));
            return value is SafeText ? new SafeText(part) : part;
        }
        return value switch
        {
            TemplateList l => new TemplateList([.. Indices(l.Items.Count).Select(i => l.Items[i])]),
            TemplateTuple t => new TemplateTuple([.. Indices(t.Items.Length).Select(i => t.Items[i])]),
            TemplateRange r => SliceRange(r, [.. Indices((int)r.Length)]),
            _ => throw Operators.Error($"'{Operators.TypeName(value)}' object cannot be sliced"),
        };
    }

    private static TemplateRange SliceRange(TemplateRange range, int[] indices)
    {
        BigInteger step = indices.Length > 1 ? range.At(indices[1]) - range.At(indices[0]) : range.Step;
        return indices.Length == 0 ? new TemplateRange(range.Start, range.Start, range.Step) : new TemplateRange(range.At(indices[0]), range.At(indices[^1]) + step.Sign, step);
    }
}
