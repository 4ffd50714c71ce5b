using System.Text.Json;
using Banyan.Inference.Sampling;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>The rules of sampling give the distributions of the reference.</summary>
[Trait("Category", "Golden")]
public sealed class ProcessorGoldenTests
{
    private static readonly string[] s_folder = ["goldens", "generation", "processors"];

    public static IEnumerable<object[]> Cases()
    {
        using Golden golden = Golden.Open(s_folder);
        return [.. golden.Json.GetProperty("cases").EnumerateArray().Select(c => new object[] { c.GetProperty("case").GetString()! })];
    }

    [GoldenTheory, MemberData(nameof(Cases))]
    public void Distribution_equals_the_reference(string name)
    {
        using Golden golden = Golden.Open(s_folder);
        JsonElement c = golden.Json.GetProperty("cases").EnumerateArray().First(x => x.GetProperty("case").GetString() == name);
        GenerationOptions? options = Options(c.GetProperty("reference").GetString()!, c.GetProperty("parameters"));
        Skip.If(options is null, $"pending: {c.GetProperty("reference").GetString()}");
        string logitsName = golden.Has($"{name}.logits") ? $"{name}.logits" : "logits", idsName = golden.Has($"{name}.input_ids") ? $"{name}.input_ids" : "input_ids";
        float[] logits = golden.Floats(logitsName);
        double[] expected = golden.Doubles($"{name}.probs");
        long[] ids = golden.Longs(idsName);
        int rows = (int)golden.Shape(logitsName)[0], vocabulary = logits.Length / rows, length = ids.Length / rows;
        for (int r = 0; r < rows; r++)
        {
            int[] seen = [.. ids.Skip(r * length).Take(length).Select(i => (int)i)];
            bool counts = options!.FrequencyPenalty != 0 || options.PresencePenalty != 0;
            var sampler = new Sampler(options, counts ? [] : seen);
            Array.ForEach(counts ? seen : [], sampler.Count);
            float[] actual = sampler.Distribution(logits.AsSpan(r * vocabulary, vocabulary));
            for (int v = 0; v < vocabulary; v++)
            {
                double e = expected[(r * vocabulary) + v];
                Assert.True(Math.Abs(actual[v] - e) <= 1e-5 * Math.Max(e, 1e-3), $"row {r} token {v}: {actual[v]:R}, reference {e:R}");
            }
        }
    }

    private static GenerationOptions? Options(string reference, JsonElement p) => (reference, p.EnumerateObject().Count()) switch
    {
        ("transformers.TemperatureLogitsWarper", 1) => new() { Temperature = p.GetProperty("temperature").GetDouble() },
        ("transformers.TopKLogitsWarper", 1) => new() { TopK = p.GetProperty("top_k").GetInt32() },
        ("transformers.TopPLogitsWarper", 1) => new() { TopP = p.GetProperty("top_p").GetDouble() },
        ("transformers.MinPLogitsWarper", 1) => new() { MinP = p.GetProperty("min_p").GetDouble() },
        ("transformers.RepetitionPenaltyLogitsProcessor", 1) => new() { RepetitionPenalty = p.GetProperty("penalty").GetDouble() },
        _ when p.TryGetProperty("frequency_penalty", out JsonElement f) => new() { FrequencyPenalty = f.GetDouble(), PresencePenalty = p.GetProperty("presence_penalty").GetDouble() },
        _ => null,
    };
}
