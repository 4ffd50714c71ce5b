using System.Globalization;
using System.Numerics;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>The tests of Jinja (<c>x is name</c>), by name.</summary>
internal static class Tests
{
    private delegate bool Test(object? value, Arguments arguments, Fuel fuel);

    private static readonly Dictionary<string, Test> s_tests = Create();

    private static Dictionary<string, Test> Create()
    {
        var tests = new Dictionary<string, Test>
        {
            ["defined"] = (x, _, _) => x is not Undefined,
            ["undefined"] = (x, _, _) => x is Undefined,
            ["none"] = (x, _, _) => x is null,
            ["boolean"] = (x, _, _) => x is bool,
            ["true"] = (x, _, _) => x is true,
            ["false"] = (x, _, _) => x is false,
            ["integer"] = (x, _, _) => x is BigInteger,
            ["float"] = (x, _, _) => x is double,
            ["number"] = (x, _, _) => x is BigInteger or double or bool,
            ["string"] = (x, _, _) => Operators.TextOf(x) is not null,
            ["mapping"] = (x, _, _) => x is TemplateDict,
            ["sequence"] = (x, _, _) => x is TemplateList or TemplateTuple or Group or TemplateDict or TemplateRange or Undefined || Operators.TextOf(x) is not null,
            ["iterable"] = (x, _, _) => x is TemplateList or TemplateTuple or Group or TemplateDict or DictView or TemplateRange or Generator or LoopState or Undefined
                || Operators.TextOf(x) is not null,
            ["callable"] = (x, _, _) => x is Function or Undefined or LoopState,
            ["escaped"] = (x, _, _) => x is SafeText,
            ["odd"] = (x, _, f) => Remainder(x, 2, f) is { } r && Operators.AreEqual(r, BigInteger.One),
            ["even"] = (x, _, f) => Remainder(x, 2, f) is { } r && Operators.AreEqual(r, BigInteger.Zero),
            ["divisibleby"] = (x, a, f) => Operators.AreEqual(Remainder(x, a.Bind("divisibleby", ("num", Arguments.Required))[0], f), BigInteger.Zero),
            ["lower"] = (x, _, f) => StringMethods.HasCase(PythonText.Str(x, f), UnicodeCategory.LowercaseLetter),
            ["upper"] = (x, _, f) => StringMethods.HasCase(PythonText.Str(x, f), UnicodeCategory.UppercaseLetter),
            ["sameas"] = (x, a, _) => AreSame(x, a.Bind("sameas", ("other", Arguments.Required))[0]),
            ["in"] = (x, a, f) => Operators.Contains(a.Bind("in", ("seq", Arguments.Required))[0], x, f),
            ["filter"] = (x, _, _) => Operators.TextOf(x) is { } name && Filters.Exists(name),
            ["test"] = (x, _, _) => Operators.TextOf(x) is { } name && Exists(name),
        };
        foreach ((string op, string[] names) in (ReadOnlySpan<(string, string[])>)[("==", ["eq", "equalto"]), ("!=", ["ne"]), ("<", ["lt", "lessthan"]), ("<=", ["le"]),
            (">", ["gt", "greaterthan"]), (">=", ["ge"])])
        {
            foreach (string name in names.Append(op))
            {
                tests[name] = (x, a, f) => Operators.Test(op, x, a.Bind(name, ("b", Arguments.Required))[0], f);
            }
        }
        return tests;
    }

    public static bool Exists(string name) => s_tests.ContainsKey(name);

    /// <summary>Runs a test.</summary>
    public static bool Apply(string name, object? value, Arguments arguments, Fuel fuel)
    {
        fuel.Step();
        return s_tests.TryGetValue(name, out Test? test) ? test(value, arguments, fuel) : throw Operators.Error($"no test is named '{name}'");
    }

    private static object? Remainder(object? value, object? by, Fuel fuel) => Operators.Apply("%", value, by is int i ? new BigInteger(i) : by, fuel);

    // Python's identity: small integers and the constants are one object each.
    private static bool AreSame(object? a, object? b) => (a, b) switch
    {
        (null, null) => true,
        (bool x, bool y) => x == y,
        (BigInteger x, BigInteger y) => x == y && x >= -5 && x <= 256,
        _ => ReferenceEquals(a, b),
    };
}
