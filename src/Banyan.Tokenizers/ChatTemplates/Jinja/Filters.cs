using System.Numerics;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>The filters of Jinja, by name: <c>(input, arguments, fuel)</c> to the result.</summary>
internal static class Filters
{
    internal delegate object? Filter(object? input, Arguments arguments, Fuel fuel);

    private static readonly Dictionary<string, Filter> s_filters = new Dictionary<string, Filter>(
        [.. SequenceFilters.All, .. TextFilters.All, .. NumberFilters.All])
    {
        ["default"] = Default,
        ["d"] = Default,
        ["attr"] = (x, a, f) => x is Undefined u ? throw u.Error() : Attributes.Only(x, PythonText.Str(a.Bind("attr", ("name", Arguments.Required))[0], f), f),
        ["tojson"] = ToJson,
        ["items"] = (x, _, _) => x is Undefined ? new Generator([]) : x is TemplateDict d ? new Generator(new DictView("items", d).Items) : throw Operators.Error("items needs a mapping"),
    };

    public static bool Exists(string name) => s_filters.ContainsKey(name);

    /// <summary>Runs a filter.</summary>
    public static object? Apply(string name, object? input, Arguments arguments, Fuel fuel)
    {
        fuel.Step();
        return s_filters.TryGetValue(name, out Filter? filter) ? filter(input, arguments, fuel) : throw Operators.Error($"no filter is named '{name}'");
    }

    private static object? Default(object? input, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("default", ("default_value", ""), ("boolean", false));
        return input is Undefined || (Operators.IsTrue(a[1]) && !Operators.IsTrue(input)) ? a[0] : input;
    }

    private static object? ToJson(object? input, Arguments arguments, Fuel fuel)
    {
        object?[] a = arguments.Bind("tojson", ("ensure_ascii", false), ("indent", null), ("separators", null), ("sort_keys", false));
        string? indent = a[1] is null ? null : Operators.TextOf(a[1]) ?? new string(' ', (int)BigInteger.Clamp(StringMethods.Integer(a[1]), 0, 1000));
        (string item, string key) = (indent is null ? ", " : ",", ": ");
        if (a[2] is not null)
        {
            object?[] separators = [.. Operators.Iterate(a[2], fuel)];
            (item, key) = separators.Length == 2 && Operators.TextOf(separators[0]) is { } first && Operators.TextOf(separators[1]) is { } second
                ? (first, second)
                : throw Operators.Error("separators are two texts");
        }
        return PythonJson.Write(input, indent, item, key, Operators.IsTrue(a[0]), Operators.IsTrue(a[3]), fuel);
    }
}
