using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Banyan.Testing;

namespace Banyan.Nn.Tests.Goldens;

/// <summary>One folder of goldens/models_extra: arguments, inputs, weights, and the comparison of outputs, gradients and buffers.</summary>
internal sealed partial class LayerCase : IDisposable
{
    private readonly ArrayFile _arrays;
    private readonly JsonElement _json;
    private readonly Dictionary<string, Tensor> _inputs = [];
    private readonly Dictionary<string, Tensor> _outputs = [];
    // The reference ran a packed case after the case without packing on the same module, and a network in training after the same in evaluation: its weight gradients are those of both.
    private readonly ArrayFile? _before;
    private Module? _module;
    private string? _loss;

    public LayerCase(string name)
    {
        Name = name;
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Get("goldens", "models_extra", name, "case.json")));
        _json = json.RootElement.Clone();
        _arrays = new ArrayFile(SharedFolder.Get("goldens", "models_extra", name, "golden.safetensors"));
        string? before = name.EndsWith("_packed", StringComparison.Ordinal) ? name[..^"_packed".Length] : name.StartsWith("cnn_", StringComparison.Ordinal) && name.EndsWith("_train", StringComparison.Ordinal) ? name[..^"train".Length] + "eval" : null;
        _before = before is not null && SharedFolder.TryGet("goldens", "models_extra", before) is { } folder && Directory.Exists(folder) ? new ArrayFile(Path.Combine(folder, "golden.safetensors")) : null;
        Reference = _json.GetProperty("reference").GetString()!;
        Pass = new ForwardPass(new Scope(new() { RecordGradients = true })) { Training = !name.EndsWith("_eval", StringComparison.Ordinal) };
    }

    public string Name { get; }

    public string Reference { get; }

    public ForwardPass Pass { get; }

    /// <summary>The arguments: case.json's parameters, or an empty object.</summary>
    public JsonElement Parameters => _json.TryGetProperty("parameters", out JsonElement p) ? p : JsonDocument.Parse("{}").RootElement;

    public int[]? Lengths => _json.TryGetProperty("lengths", out JsonElement l) ? [.. l.EnumerateArray().Select(v => v.GetInt32())] : null;

    public double Scale => _json.Double("scale", double.NaN);

    public bool Has(string name) => _arrays.Has(name);

    /// <summary>An input as a leaf outside the scope, so that its gradient stays.</summary>
    public Tensor In(string name)
    {
        if (!_inputs.TryGetValue(name, out Tensor? x))
        {
            _inputs[name] = x = _arrays.Get("in." + name);
            x.RequiresGrad = _arrays.Has("grad.in." + name);
        }
        return Pass.Scope.Use(x);
    }

    /// <summary>Any other tensor of the case.</summary>
    public Tensor Get(string name) => _arrays.Get(name);

    /// <summary>A number of case.json itself.</summary>
    public double Value(string name) => _json.GetProperty(name).GetDouble();

    public Tensor? TryIn(string name) => _arrays.Has("in." + name) ? In(name) : null;

    public IEnumerable<string> WeightNames => _arrays.Names.Where(n => n.StartsWith("w.", StringComparison.Ordinal)).Select(n => n[2..]);

    public long[] WeightShape(string name) => _arrays.Get("w." + name).Shape.Span.ToArray();

    /// <summary>Fills a module with the golden's weights; every weight must find its place, and every parameter a weight.</summary>
    public M Load<M>(M module) where M : Module
    {
        _module = module;
        Assert.Equal(
            _arrays.Names.Where(n => n.StartsWith("w.", StringComparison.Ordinal)).Select(n => n[2..]).Order(StringComparer.Ordinal),
            module.NamedParameters().Select(p => p.Name).Order(StringComparer.Ordinal));
        foreach ((string name, Parameter p) in module.NamedParameters())
        {
            p.Value = _arrays.Get("w." + name);
            p.IsTrainable = !p.IsBuffer;
        }
        return module;
    }

    public void Out(string name, Tensor value) => _outputs[name] = value;

    /// <summary>A number of a reference such as <c>MaxPool2d(kernel_size=3, stride=2)</c>: by keyword.</summary>
    public long[] Argument(string keyword)
    {
        Match m = Regex.Match(Reference, keyword + @"=\(?([\d, ]+)\)?");
        return m.Success ? [.. m.Groups[1].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(n => long.Parse(n, CultureInfo.InvariantCulture))] : [];
    }

    /// <summary>A positional or keyword number with a fraction.</summary>
    public double Number(string keyword, double otherwise)
    {
        Match m = Regex.Match(Reference, keyword + @"=([\d.e-]+)");
        return m.Success ? double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) : otherwise;
    }

    public void Check(double tolerance)
    {
        foreach (string key in _arrays.Names.Where(n => n.StartsWith("out.", StringComparison.Ordinal)))
        {
            Assert.True(_outputs.TryGetValue(key[4..], out Tensor? value), $"{key} was not computed");
            Close(key, value!, tolerance);
        }
        Backward();
        foreach (string key in _arrays.Names.Where(n => n.StartsWith("grad.in.", StringComparison.Ordinal)))
        {
            Close(key, _inputs[key[8..]].Grad, 1e-4);
        }
        Dictionary<string, Parameter> parameters = _module?.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter) ?? [];
        foreach (string key in _arrays.Names.Where(n => n.StartsWith("grad.w.", StringComparison.Ordinal)))
        {
            Close(key, parameters[key[7..]].Grad, 1e-4, _before);
        }
        foreach (string key in _arrays.Names.Where(n => n.StartsWith("after.", StringComparison.Ordinal)))
        {
            Close(key, parameters[key[6..]].Value, 1e-5);
        }
    }

    /// <summary>Takes gradients of one output in place of the weighted sum of all.</summary>
    public void Differentiate(string output) => _loss = output;

    /// <summary>Compares the gradients so far with <c>grad.</c> and the names of those parameters that begin so.</summary>
    public void CheckGradients(string prefix)
    {
        foreach ((string name, Parameter p) in _module!.NamedParameters().Where(p => p.Name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            Close("grad." + name, p.Grad, 1e-4);
        }
    }

    private void Backward()
    {
        Tensor? loss = _loss is null ? null : _outputs[_loss];
        foreach ((string name, Tensor value) in _outputs.Where(o => _arrays.Has("up." + o.Key)))
        {
            Tensor term = (value * Pass.Scope.Use(_arrays.Get("up." + name))).Sum();
            loss = loss is null ? term : loss + term;
        }
        loss?.Backward();
    }

    private void Close(string key, Tensor? actual, double tolerance, ArrayFile? minus = null)
    {
        Tensor golden = _arrays.Get(key);
        Assert.True(actual is not null, $"{key}: no gradient");
        Assert.Equal(golden.Shape, actual!.Shape);
        double[] e = golden.ToDoubles(), a = actual.ToDoubles();
        double allowed = golden.DType.IsFloat ? tolerance * Math.Max(1e-6, e.Select(Math.Abs).DefaultIfEmpty().Max()) : 0;
        e = minus is null ? e : [.. e.Zip(minus.Get(key).ToDoubles(), (both, first) => both - first)];
        for (int i = 0; i < e.Length; i++)
        {
            Assert.True(e[i].Equals(a[i]) || Math.Abs(e[i] - a[i]) <= allowed, $"{key}[{i}]: expected {e[i]:R}, got {a[i]:R} (allowed {allowed:E2})");
        }
    }

    public void Dispose() => Pass.Scope.Dispose();
}
