using System.Text.Json;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Testing;
using Xunit;

namespace Banyan.Models.Tests.Goldens;

/// <summary>A golden case of a whole model: its weights, the stored results, and comparisons at the tolerances of its README.</summary>
internal sealed class GoldenModel : IDisposable
{
    private readonly SafetensorsFile _golden;

    private GoldenModel(string name, Action<JsonObject>? edit)
    {
        Name = name;
        Folder = SharedFolder.Get("goldens", "models", name);
        _golden = SafetensorsFile.Open(Path.Combine(Folder, "golden.safetensors"));
        Case = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "case.json"))).RootElement;
        if (edit is null)
        {
            Model = ModelFiles.Load(Folder, trainable: true);
            return;
        }
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "config.json")))!.AsObject();
        edit(config);
        using IModelReader weights = ModelReader.Open(Folder);
        Model = ModelRegistry.Default.Create(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(config.ToJsonString()), name));
        ModelFiles.LoadWeights(Model, weights, trainable: true);
    }

    public string Name { get; }

    public string Folder { get; }

    public JsonElement Case { get; }

    public Model Model { get; }

    /// <summary>The loss of a model without one of its own, or null.</summary>
    public Func<ModelOutputs, Tensor>? LossDefinition =>
        Case.TryGetProperty("loss_definition", out JsonElement text) && !text.GetString()!.StartsWith("mean squared error", StringComparison.Ordinal) /* a loss of the model's own */ ? Models.LossDefinition.Parse(text.GetString()!) : null;

    public static bool IsPending(string name) =>
        !ModelRegistry.Default.Architectures.Contains(ConfigReader.Open(Path.Combine(SharedFolder.Get("goldens", "models", name), "config.json")).GetStrings("architectures").FirstOrDefault() ?? "");

    /// <summary>The model of a case, with its configuration edited first where that is asked for.</summary>
    public static GoldenModel Open(string name, Action<JsonObject>? edit = null)
    {
        Skip.If(IsPending(name), $"pending: models/{name}");
        return new GoldenModel(name, edit);
    }

    public bool Has(string name) => _golden.TryGet(name, out _);

    public IEnumerable<string> Names(string prefix) => _golden.Names.Where(n => n.StartsWith(prefix, StringComparison.Ordinal));

    public Tensor Get(string name) => _golden.LoadTensor(name);

    public Dictionary<string, Tensor> Inputs(string prefix = "in.") => Names(prefix).ToDictionary(n => n[prefix.Length..], Get);

    public void Compare(string name, Tensor actual, double tolerance = 1e-4)
    {
        Tensor expected = Get(name);
        Assert.True(expected.Shape == actual.Shape, $"{Name} {name}: {actual.Shape}, expected {expected.Shape}");
        Close(name, Real(name, expected), Real(name, actual), tolerance);
    }

    // What a decision model says of steps before an episode began means nothing, and the reference lets them see the future.
    public double[] Real(string name, Tensor x)
    {
        double[] values = x.ToDoubles();
        if (Case.GetProperty("kind").GetString() != "decision" || !name.StartsWith("out.", StringComparison.Ordinal) || x.Rank < 2)
        {
            return values;
        }
        double[] mask = Get("in.attention_mask").ToDoubles();
        int perStep = values.Length / mask.Length;
        return [.. values.Select((v, i) => mask[i / perStep] == 0 ? 0 : v)];
    }

    /// <summary>Largest difference below <paramref name="tolerance"/> of the largest element (absolute where everything is nearly zero).</summary>
    public void Close(string name, double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = expected.Select(Math.Abs).DefaultIfEmpty(0).Max(), worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            worst = Math.Max(worst, double.IsNaN(actual[i]) ? double.PositiveInfinity : Math.Abs(expected[i] - actual[i]));
        }
        double allowed = tolerance * (largest < 1e-6 ? 1 : largest);
        Assert.True(worst <= allowed, $"{Name} {name}: differs by {worst:g3}, allowed {allowed:g3} ({tolerance} of {largest:g3})");
    }

    public void Dispose() => _golden.Dispose();
}
