using System.Globalization;
using System.Text.Json;

namespace Banyan.Tensors.Tests.Goldens;

/// <summary>One case of a golden group: what an entry of the case tables reads to call the operation.</summary>
internal sealed class OpCase
{
    private readonly JsonElement _json;
    private readonly GoldenArrays _arrays;
    private readonly double _rtol;
    private readonly Dictionary<string, (Tensor Leaf, Tensor Used)> _inputs = [];

    public OpCase(JsonElement json, GoldenArrays arrays, double rtol, Scope scope)
    {
        _json = json;
        _arrays = arrays;
        _rtol = json.TryGetProperty("rtol", out JsonElement own) ? own.GetDouble() : rtol;
        Scope = scope;
        foreach (JsonProperty p in json.GetProperty("inputs").EnumerateObject())
        {
            InputNames.Add(p.Name);
            _inputs[p.Name] = Load(p.Name, p.Value.GetString()!);
        }
    }

    public Scope Scope { get; }

    public string Name => _json.GetProperty("name").GetString()!;

    public string Op => _json.GetProperty("op").GetString()!;

    public string Reference => _json.GetProperty("reference").GetString()!;

    /// <summary>Names of the inputs, in order.</summary>
    public List<string> InputNames { get; } = [];

    /// <summary>All inputs, in order.</summary>
    public Tensor[] Inputs => [.. InputNames.Select(n => _inputs[n].Used)];

    /// <summary>The first input.</summary>
    public Tensor X => _inputs[InputNames[0]].Used;

    /// <summary>The second input.</summary>
    public Tensor Y => _inputs[InputNames[1]].Used;

    /// <summary>An input by name.</summary>
    public Tensor this[string name] => _inputs[name].Used;

    public bool Has(string input) => _inputs.ContainsKey(input);

    /// <summary>An input by name, or null.</summary>
    public Tensor? Optional(string input) => _inputs.TryGetValue(input, out var t) ? t.Used : null;

    /// <summary>The reference's value of an output: only for what is defined up to a sign.</summary>
    public Tensor Expected(string output) => _arrays.Get(_json.GetProperty("outputs").GetProperty(output).GetString()!);

    public JsonElement Args => _json.GetProperty("args");

    public bool HasArg(string key) => Args.TryGetProperty(key, out JsonElement v) && v.ValueKind != JsonValueKind.Null;

    public double Double(string key, double otherwise = double.NaN) => HasArg(key) ? Number(Args.GetProperty(key)) : otherwise;

    public int Int(string key, int otherwise = 0) => HasArg(key) ? (int)Args.GetProperty(key).GetDouble() : otherwise;

    public bool Bool(string key, bool otherwise = false) => HasArg(key) ? Args.GetProperty(key).GetBoolean() : otherwise;

    public string Text(string key, string otherwise = "") => HasArg(key) ? Args.GetProperty(key).ToString() : otherwise;

    /// <summary>A list of integers; a single number counts as a list of one.</summary>
    public long[] Ints(string key) => !HasArg(key) ? [] : Args.GetProperty(key) is { ValueKind: JsonValueKind.Array } list
        ? [.. list.EnumerateArray().Select(v => v.GetInt64())] : [Args.GetProperty(key).GetInt64()];

    public static double Number(JsonElement v) => v.ValueKind == JsonValueKind.String
        ? v.GetString() switch
        {
            "inf" => double.PositiveInfinity,
            "-inf" => double.NegativeInfinity,
            "nan" => double.NaN,
            string s => double.Parse(s, CultureInfo.InvariantCulture),
            null => double.NaN,
        }
        : v.GetDouble();

    private (Tensor, Tensor) Load(string name, string key)
    {
        Tensor t = _arrays.Get(key);
        if (_json.TryGetProperty("views", out JsonElement views) && views.TryGetProperty(name, out JsonElement view))
        {
            long[] size = [.. view.GetProperty("size").EnumerateArray().Select(v => v.GetInt64())];
            long[] stride = [.. view.GetProperty("stride").EnumerateArray().Select(v => v.GetInt64())];
            t = t.AsView(new Shape(size), new Shape(stride), view.GetProperty("offset").GetInt64());
        }
        bool needsGrad = _json.TryGetProperty("grads", out JsonElement grads) && grads.TryGetProperty(name, out _);
        if (needsGrad)
        {
            t.RequiresGrad = true;
        }
        return (t, Scope.Use(t));
    }

    /// <summary>Compares outputs, then gradients. The outputs are in the order of the case's <c>outputs</c>.</summary>
    public void Check(Tensor[] outputs)
    {
        JsonProperty[] expected = [.. _json.GetProperty("outputs").EnumerateObject()];
        Assert.True(expected.Length == outputs.Length, $"{Name}: {outputs.Length} outputs, the reference has {expected.Length}");
        for (int i = 0; i < expected.Length; i++)
        {
            Compare("out." + expected[i].Name, outputs[i], _arrays.Get(expected[i].Value.GetString()!));
        }
        CheckGradients(expected, outputs);
    }

    private void CheckGradients(JsonProperty[] expected, Tensor[] outputs)
    {
        if (!_json.TryGetProperty("grads", out JsonElement grads) || !grads.EnumerateObject().Any())
        {
            return;
        }
        JsonElement upstream = _json.GetProperty("grad_outputs");
        var ys = new List<Tensor>();
        var dys = new List<Tensor>();
        for (int i = 0; i < expected.Length; i++)
        {
            if (upstream.TryGetProperty(expected[i].Name, out JsonElement key))
            {
                ys.Add(outputs[i]);
                dys.Add(_arrays.Get(key.GetString()!).Clone(Scope));
            }
        }
        string[] names = [.. grads.EnumerateObject().Select(g => g.Name)];
        Tensor?[] actual = Scope.Tape!.Gradients([.. ys], [.. names.Select(n => _inputs[n].Used)], [.. dys]);
        for (int i = 0; i < names.Length; i++)
        {
            Tensor reference = _arrays.Get(grads.GetProperty(names[i]).GetString()!);
            Compare("grad." + names[i], actual[i] ?? Scope.Zeros(reference.Shape), reference);
        }
    }

    private void Compare(string what, Tensor actual, Tensor expected)
    {
        Assert.True(actual.Shape == expected.Shape, $"{Name}: {what} is {actual.Shape}, the reference {expected.Shape}");
        double atol = _json.TryGetProperty("atol", out JsonElement tolerances) && tolerances.TryGetProperty(what, out JsonElement a) ? Number(a) : 0;
        double rtol = expected.DType.IsFloat ? _rtol : 0;
        double[] x = actual.ToDoubles(), y = expected.ToDoubles();
        for (int i = 0; i < x.Length; i++)
        {
            bool same = double.IsNaN(y[i]) ? double.IsNaN(x[i])
                : double.IsInfinity(y[i]) ? x[i] == y[i]
                : Math.Abs(x[i] - y[i]) <= atol + rtol * Math.Abs(y[i]);
            Assert.True(same, $"{Name}: {what}[{i}] is {x[i]:R}, the reference {y[i]:R} (atol {atol}, rtol {rtol})");
        }
    }
}
