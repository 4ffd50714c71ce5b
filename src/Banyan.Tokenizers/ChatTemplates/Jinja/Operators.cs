using System.Numerics;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>Python's operators on the values of a template.</summary>
internal static class Operators
{
    public static ChatTemplateException Error(string problem) => new(ChatTemplateError.Runtime, problem);

    /// <summary>The name of a value's Python type.</summary>
    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        BigInteger => "int",
        double => "float",
        string => "str",
        SafeText => "Markup",
        TemplateList => "list",
        TemplateTuple or Group => "tuple",
        TemplateDict => "dict",
        TemplateRange => "range",
        DictView v => "dict_" + v.Kind,
        Generator => "generator",
        Namespace => "Namespace",
        LoopState => "LoopContext",
        Undefined => "Undefined",
        Function => "function",
        _ => "object",
    };

    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool b => b,
        BigInteger i => !i.IsZero,
        double d => d != 0,
        string s => s.Length > 0,
        SafeText s => s.Value.Length > 0,
        TemplateList l => l.Items.Count > 0,
        TemplateTuple t => t.Items.Length > 0,
        TemplateDict d => d.Items.Count > 0,
        DictView v => v.Dict.Items.Count > 0,
        TemplateRange r => !r.Length.IsZero,
        _ => true,
    };

    /// <summary>The text of a text, safe or not, or null.</summary>
    public static string? TextOf(object? value) => value switch { string s => s, SafeText s => s.Value, _ => null };

    /// <summary>Whole numbers and truth values as an integer, or null.</summary>
    public static BigInteger? IntegerOf(object? value) => value switch { bool b => b ? 1 : 0, BigInteger i => i, _ => null };

    /// <summary>Any number as a float, or null.</summary>
    public static double? FloatOf(object? value) => value is double d ? d : IntegerOf(value) is { } i ? (double)i : null;

    public static bool AreEqual(object? a, object? b)
    {
        if (a is double || b is double)
        {
            return FloatOf(a) is { } x && FloatOf(b) is { } y && Compare(a, b) == 0 && x == y;
        }
        if (IntegerOf(a) is { } i)
        {
            return IntegerOf(b) is { } j && i == j;
        }
        if (TextOf(a) is { } s)
        {
            return TextOf(b) == s;
        }
        return (a, b) switch
        {
            (null, null) or (Undefined, Undefined) => true,
            (TemplateList x, TemplateList y) => SequenceEqual(x.Items, y.Items),
            (TemplateDict x, TemplateDict y) => x.Items.Count == y.Items.Count && x.Items.All(e => y.TryGet(e.Key.Value, out object? v) && AreEqual(e.Value, v)),
            (TemplateRange x, TemplateRange y) => SequenceEqual([.. x.Items], [.. y.Items]),
            _ => TupleOf(a) is { } t && TupleOf(b) is { } u ? SequenceEqual(t, u) : ReferenceEquals(a, b),
        };
    }

    private static IList<object?>? TupleOf(object? value) => value switch { TemplateTuple t => t.Items, Group g => [g.Grouper, g.List], _ => null };

    private static bool SequenceEqual(IList<object?> a, IList<object?> b)
    {
        if (a.Count != b.Count)
        {
            return false;
        }
        for (int i = 0; i < a.Count; i++)
        {
            if (!ReferenceEquals(a[i], b[i]) && !AreEqual(a[i], b[i]))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Equal values have equal hashes; what can change cannot be a key.</summary>
    public static int Hash(object? value) => value switch
    {
        null or Undefined => 0,
        string s => s.GetHashCode(StringComparison.Ordinal),
        SafeText s => s.Value.GetHashCode(StringComparison.Ordinal),
        double d => d == Math.Floor(d) && Math.Abs(d) < 1e300 ? new BigInteger(d).GetHashCode() : d.GetHashCode(),
        TemplateTuple t => t.Items.Aggregate(17, (h, item) => HashCode.Combine(h, Hash(item))),
        TemplateList or TemplateDict or DictView => throw Error($"unhashable type: '{TypeName(value)}'"),
        _ => IntegerOf(value) is { } i ? i.GetHashCode() : value.GetHashCode(),
    };

    /// <summary>The order of two values of types that have one.</summary>
    public static int Compare(object? a, object? b)
    {
        if (IntegerOf(a) is { } i && IntegerOf(b) is { } j)
        {
            return i.CompareTo(j);
        }
        if (FloatOf(a) is { } x && FloatOf(b) is { } y)
        {
            // An integer beyond 2^53 is compared exactly, not as the float next to it.
            return a is double && b is double || !double.IsFinite(x) || !double.IsFinite(y) || x != y ? x.CompareTo(y) : Exact(a).CompareTo(Exact(b));
        }
        if (TextOf(a) is { } s && TextOf(b) is { } t)
        {
            return CompareText(s, t);
        }
        if (a is TemplateList l && b is TemplateList m)
        {
            return CompareItems(l.Items, m.Items);
        }
        if (TupleOf(a) is { } p && TupleOf(b) is { } q)
        {
            return CompareItems(p, q);
        }
        throw (a as Undefined ?? b as Undefined)?.Error() ?? Error($"'<' is not supported between '{TypeName(a)}' and '{TypeName(b)}'");
    }

    private static BigInteger Exact(object? value) => IntegerOf(value) ?? new BigInteger((double)value!);

    // Python orders by code points; UTF-16 puts surrogates before U+E000.
    private static int CompareText(string a, string b)
    {
        int length = Math.Min(a.Length, b.Length);
        for (int i = 0; i < length; i++)
        {
            if (a[i] != b[i])
            {
                bool high = char.IsSurrogate(a[i]);
                return high != char.IsSurrogate(b[i]) ? (high ? 1 : -1) : a[i].CompareTo(b[i]);
            }
        }
        return a.Length.CompareTo(b.Length);
    }

    private static int CompareItems(IList<object?> a, IList<object?> b)
    {
        for (int i = 0; i < Math.Min(a.Count, b.Count); i++)
        {
            if (!AreEqual(a[i], b[i]))
            {
                return Compare(a[i], b[i]);
            }
        }
        return a.Count.CompareTo(b.Count);
    }

    public static bool Test(string op, object? a, object? b, Fuel fuel)
    {
        switch (op)
        {
            case "==": return AreEqual(a, b);
            case "!=": return !AreEqual(a, b);
            case "in": return Contains(b, a, fuel);
            case "not in": return !Contains(b, a, fuel);
        }
        if ((FloatOf(a) is { } x && double.IsNaN(x) && FloatOf(b) is not null) || (FloatOf(b) is { } y && double.IsNaN(y) && FloatOf(a) is not null))
        {
            return false;
        }
        int order = Compare(a, b);
        return op switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
    }

    public static bool Contains(object? container, object? item, Fuel fuel)
    {
        if (TextOf(container) is { } text)
        {
            string part = TextOf(item) ?? throw (item as Undefined)?.Error() ?? Error($"'in <string>' needs a text on the left, not '{TypeName(item)}'");
            fuel.Step(text.Length / 64);
            return text.Contains(part, StringComparison.Ordinal);
        }
        switch (container)
        {
            case TemplateDict dict: return dict.TryGet(item, out _);
            case Namespace or Function or Cycler: throw Error($"argument of type '{TypeName(container)}' is not iterable");
            case TemplateRange range when IntegerOf(item) is { } i:
                return range.Step > 0 ? i >= range.Start && i < range.Stop && (i - range.Start) % range.Step == 0
                    : i <= range.Start && i > range.Stop && (range.Start - i) % -range.Step == 0;
        }
        foreach (object? other in Iterate(container, fuel))
        {
            if (ReferenceEquals(item, other) || AreEqual(item, other))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The items of a value; each costs a step.</summary>
    public static IEnumerable<object?> Iterate(object? value, Fuel fuel)
    {
        IEnumerable<object?> items = value switch
        {
            TemplateList l => l.Items,
            TemplateTuple t => t.Items,
            Group g => [g.Grouper, g.List],
            TemplateDict d => d.Items.Select(i => i.Key.Value),
            DictView v => v.Items,
            TemplateRange r => r.Items,
            Generator g => g.Rest,
            Undefined u => u.Error() is { Kind: ChatTemplateError.Security } e ? throw e : [],
            LoopState loop => loop.Rest,
            _ => TextOf(value) is { } s ? CodePoints.Each(s) : throw Error($"'{TypeName(value)}' object is not iterable"),
        };
        return Counted(items, fuel);
    }

    private static IEnumerable<object?> Counted(IEnumerable<object?> items, Fuel fuel)
    {
        foreach (object? item in items)
        {
            fuel.Step();
            yield return item;
        }
    }

    public static BigInteger Length(object? value) => value switch
    {
        TemplateList l => l.Items.Count,
        TemplateTuple t => t.Items.Length,
        Group => 2,
        TemplateDict d => d.Items.Count,
        DictView v => v.Dict.Items.Count,
        TemplateRange r => r.Length,
        LoopState loop => loop.Length,
        Undefined => 0,
        _ => TextOf(value) is { } s ? CodePoints.Count(s) : throw Error($"object of type '{TypeName(value)}' has no len()"),
    };

    public static object? Negate(object? value) => value switch
    {
        double d => -d,
        Undefined u => throw u.Error(),
        _ => IntegerOf(value) is { } i ? -i : throw Error($"bad operand type for unary -: '{TypeName(value)}'"),
    };

    public static object? Plus(object? value) => value switch
    {
        double d => d,
        Undefined u => throw u.Error(),
        _ => IntegerOf(value) is { } i ? i : throw Error($"bad operand type for unary +: '{TypeName(value)}'"),
    };

    public static object? Apply(string op, object? a, object? b, Fuel fuel)
    {
        if (a is Undefined || b is Undefined)
        {
            if (op == "%" && TextOf(a) is { } f)
            {
                return Printf.Format(a!, b, fuel);
            }
            throw ((a as Undefined) ?? (Undefined)b!).Error();
        }
        if (op == "%" && TextOf(a) is not null)
        {
            return Printf.Format(a!, b, fuel);
        }
        if (IntegerOf(a) is { } i && IntegerOf(b) is { } j)
        {
            return Integers(op, i, j, fuel);
        }
        if (FloatOf(a) is { } x && FloatOf(b) is { } y)
        {
            if ((a is BigInteger && !double.IsFinite(x)) || (b is BigInteger && !double.IsFinite(y)))
            {
                throw Error("int too large to convert to float");
            }
            return Floats(op, x, y);
        }
        return op switch
        {
            "+" => Join(a, b, fuel),
            "*" => IntegerOf(a) is { } n ? Repeat(b, n, fuel) : IntegerOf(b) is { } m ? Repeat(a, m, fuel) : null,
            _ => null,
        } ?? throw Error($"unsupported operand type(s) for {op}: '{TypeName(a)}' and '{TypeName(b)}'");
    }

    private static object? Join(object? a, object? b, Fuel fuel)
    {
        if (TextOf(a) is { } s && TextOf(b) is { } t)
        {
            fuel.Text(s.Length + (long)t.Length);
            return a is SafeText || b is SafeText ? new SafeText(Html.EscapeUnsafe(a!, fuel) + Html.EscapeUnsafe(b!, fuel)) : s + t;
        }
        if (a is TemplateList l && b is TemplateList m)
        {
            fuel.Step(l.Items.Count + m.Items.Count);
            return new TemplateList([.. l.Items, .. m.Items]);
        }
        return TupleOf(a) is { } p && TupleOf(b) is { } q ? new TemplateTuple([.. p, .. q]) : null;
    }

    private static object? Repeat(object? value, BigInteger times, Fuel fuel)
    {
        BigInteger count = BigInteger.Max(times, 0);
        if (TextOf(value) is { } s)
        {
            fuel.Text((long)BigInteger.Min(count * s.Length, long.MaxValue));
            string text = string.Concat(Enumerable.Repeat(s, s.Length == 0 ? 0 : (int)count));
            return value is SafeText ? new SafeText(text) : text;
        }
        IList<object?>? items = value is TemplateList l ? l.Items : TupleOf(value);
        if (items is null)
        {
            return null;
        }
        fuel.Step((long)BigInteger.Min(count * items.Count, long.MaxValue / 2));
        object?[] repeated = [.. Enumerable.Repeat(items, items.Count == 0 ? 0 : (int)count).SelectMany(x => x)];
        return value is TemplateList ? new TemplateList([.. repeated]) : new TemplateTuple(repeated);
    }

    private static object Integers(string op, BigInteger a, BigInteger b, Fuel fuel)
    {
        fuel.Bits(op == "*" ? a.GetBitLength() + (double)b.GetBitLength() : Math.Max(a.GetBitLength(), b.GetBitLength()));
        switch (op)
        {
            case "+": return a + b;
            case "-": return a - b;
            case "*": return a * b;
            case "**": return Power(a, b, fuel);
        }
        if (b.IsZero)
        {
            throw Error("division by zero");
        }
        if (op == "/")
        {
            return Quotient(a, b);
        }
        BigInteger quotient = BigInteger.DivRem(a, b, out BigInteger rest);
        bool floors = !rest.IsZero && (rest.Sign < 0) != (b.Sign < 0);
        return op == "//" ? (floors ? quotient - 1 : quotient) : floors ? rest + b : rest;
    }

    // Correct to the last bit for operands that a float cannot hold: 64 bits of quotient, rounded once.
    private static double Quotient(BigInteger a, BigInteger b)
    {
        const long Exact = 1L << 53;
        if (BigInteger.Abs(a) <= Exact && BigInteger.Abs(b) <= Exact)
        {
            return (double)a / (double)b;
        }
        int shift = (int)(66 + b.GetBitLength() - a.GetBitLength());
        BigInteger scaled = shift >= 0 ? (BigInteger.Abs(a) << shift) : BigInteger.Abs(a);
        BigInteger quotient = BigInteger.DivRem(scaled, shift >= 0 ? BigInteger.Abs(b) : BigInteger.Abs(b) << -shift, out BigInteger rest);
        double value = (double)(rest.IsZero ? quotient : quotient | 1) * Math.Pow(2, -shift);
        return double.IsFinite(value) ? (a.Sign < 0) != (b.Sign < 0) ? -value : value : throw Error("integer division result too large for a float");
    }

    private static object Power(BigInteger a, BigInteger b, Fuel fuel)
    {
        if (b.Sign < 0)
        {
            return a.IsZero ? throw Error("0.0 cannot be raised to a negative power") : Math.Pow((double)a, (double)b);
        }
        if (BigInteger.Abs(a) > 1)
        {
            fuel.Bits((double)b * a.GetBitLength());
        }
        return BigInteger.Abs(a) <= 1 ? (b.IsZero ? BigInteger.One : a.IsOne || a.IsZero || !b.IsEven ? a : BigInteger.One) : BigInteger.Pow(a, (int)b);
    }

    private static object Floats(string op, double a, double b)
    {
        switch (op)
        {
            case "+": return a + b;
            case "-": return a - b;
            case "*": return a * b;
            case "**":
                if (a == 0 && b < 0)
                {
                    throw Error("0.0 cannot be raised to a negative power");
                }
                if (a < 0 && b != Math.Floor(b) && double.IsFinite(a) && double.IsFinite(b))
                {
                    throw Error("complex numbers are not supported");
                }
                double power = Math.Pow(a, b);
                return double.IsInfinity(power) && double.IsFinite(a) && double.IsFinite(b) ? throw Error("the result is too large for a float") : power;
        }
        if (b == 0)
        {
            throw Error(op == "%" ? "float modulo by zero" : "float division by zero");
        }
        if (op == "/")
        {
            return a / b;
        }
        double rest = a % b;
        double quotient = (a - rest) / b;
        if (rest != 0 && (b < 0) != (rest < 0))
        {
            rest += b;
            quotient -= 1;
        }
        else if (rest == 0)
        {
            rest = Math.CopySign(0, b);
        }
        if (op == "%")
        {
            return rest;
        }
        double floor = Math.Floor(quotient);
        return quotient == 0 ? Math.CopySign(0, a / b) : quotient - floor > 0.5 ? floor + 1 : floor;
    }
}
