using System.Text.Json;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Testing;
using Xunit;

namespace Banyan.Models.Tests.Goldens;

/// <summary>
/// A key of config.json that changes the numbers of the reference must change ours, or be refused: each key of every golden case is changed, alone, and the model must give
/// other outputs, or an error. Keys that may be ignored are listed, with the reason.
/// </summary>
[Trait("Category", "Golden")]
public sealed class ConfigKeyTests
{
    public static IEnumerable<object[]> Cases => Golden.Cases("goldens", "models");

    [SkippableTheory, MemberData(nameof(Cases))]
    public void NoKeyIsIgnored(string name)
    {
        Skip.If(GoldenModel.IsPending(name), $"pending: models/{name}");
        JsonObject config = JsonNode.Parse(File.ReadAllText(Path.Combine(SharedFolder.Get("goldens", "models", name), "config.json")))!.AsObject();
        string type = (string)config["model_type"]!;
        bool predictsTokens = config["architectures"] is JsonArray { Count: > 0 } names && ((string)names[0]!) is var a && (a.EndsWith("ForMaskedLM", StringComparison.Ordinal)
            || a.EndsWith("ForCausalLM", StringComparison.Ordinal) || a.EndsWith("LMHeadModel", StringComparison.Ordinal) || a.EndsWith("ForConditionalGeneration", StringComparison.Ordinal));
        Dictionary<string, double[]> before = Outputs(name, null)!;
        List<string> ignored = [];
        foreach ((string path, JsonNode other) in Changes(config, ""))
        {
            if (IgnoredKeys.Reason(type, path, predictsTokens) is null && Outputs(name, root => Set(root, path, other.DeepClone())) is { } after && Equal(before, after))
            {
                ignored.Add($"{path} -> {other.ToJsonString()}");
            }
        }
        Assert.True(ignored.Count == 0, $"{name}: these keys of config.json change nothing: {string.Join("; ", ignored)}. Read them, refuse the values that are not supported, "
            + $"or, where the reference's numbers do not depend on them either, list them with the reason in {nameof(IgnoredKeys)}");
    }

    // Null: refused by one clear error.
    private static Dictionary<string, double[]>? Outputs(string name, Action<JsonObject>? edit)
    {
        try
        {
            using var golden = GoldenModel.Open(name, edit);
            return ForwardRun.Run(golden.Model, golden.Inputs()).Where(r => r.Name.StartsWith("out.", StringComparison.Ordinal)).ToDictionary(r => r.Name, r => r.Value.ToDoubles());
        }
        catch (Exception e) when (edit is not null && e is CheckpointException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool Equal(Dictionary<string, double[]> a, Dictionary<string, double[]> b) =>
        a.Count == b.Count && a.All(o => b.TryGetValue(o.Key, out double[]? other) && o.Value.AsSpan().SequenceEqual(other));

    // Every key with another value, objects inside objects as path.key.
    private static IEnumerable<(string Path, JsonNode Other)> Changes(JsonObject config, string prefix)
    {
        foreach ((string key, JsonNode? value) in config)
        {
            if (value is JsonObject inner)
            {
                foreach ((string, JsonNode) change in Changes(inner, $"{prefix}{key}."))
                {
                    yield return change;
                }
            }
            else if (Other(value) is { } other)
            {
                yield return (prefix + key, other);
            }
        }
    }

    private static JsonNode? Other(JsonNode? value)
    {
        if (value is JsonArray { Count: > 0 } list)
        {
            var copy = (JsonArray)list.DeepClone();
            copy[0] = Other(list[0]);
            return copy[0] is null ? null : copy;
        }
        return value?.GetValueKind() switch
        {
            JsonValueKind.True => JsonValue.Create(false),
            JsonValueKind.False => JsonValue.Create(true),
            JsonValueKind.String when Activations.Names.Contains((string)value!) => JsonValue.Create((string)value! == "relu" ? "tanh" : "relu"),
            JsonValueKind.String => JsonValue.Create($"{(string)value!}_other"),
            JsonValueKind.Number when value.ToJsonString().All(c => char.IsDigit(c) || c == '-') => JsonValue.Create((long)value.GetValue<double>() + 1),
            JsonValueKind.Number => JsonValue.Create(Math.Abs((double)value!) < 0.02 ? (double)value! + 0.05 : (double)value! * 1.5),   // an epsilon must be seen
            _ => null,
        };
    }

    private static void Set(JsonObject root, string path, JsonNode value)
    {
        string[] keys = path.Split('.');
        JsonObject at = root;
        foreach (string key in keys[..^1])
        {
            at = at[key]!.AsObject();
        }
        at[keys[^1]] = value;
    }
}
