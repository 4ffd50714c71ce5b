using System.Text.Json;
using Banyan.Inference.Sampling;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>Acceptance of drafts, and Mirostat's limit, with the draws given.</summary>
[Trait("Category", "Golden")]
public sealed class SpeculationGoldenTests
{
    [GoldenFact]
    public void Drafts()
    {
        using Golden golden = Golden.Open("goldens", "generation", "speculative");
        foreach (JsonElement c in golden.Json.GetProperty("cases").EnumerateArray())
        {
            string name = c.GetProperty("case").GetString()!;
            int[] ids = [.. golden.Longs($"{name}.draft_ids").Select(i => (int)i)];
            double[][] q = Softmax(golden, $"{name}.draft_logits"), p = Softmax(golden, $"{name}.target_logits");
            (int accepted, double[] next) = Speculation.Verify(q, p, ids, golden.Doubles($"{name}.draws"));
            Assert.Equal(c.GetProperty("accepted").GetInt32(), accepted);
            Assert.All(golden.Doubles($"{name}.residual").Zip(next), r => Assert.Equal(r.First, r.Second, 1e-5));
        }
    }

    [GoldenFact]
    public void Mirostat_follows_its_target()
    {
        using Golden golden = Golden.Open("goldens", "generation", "mirostat");
        foreach (JsonElement c in golden.Json.GetProperty("cases").EnumerateArray())
        {
            string version = c.GetProperty("case").GetString()!.EndsWith("v1", StringComparison.Ordinal) ? "v1" : "v2";
            JsonElement p = c.GetProperty("parameters");
            var mirostat = new Mirostat(p.GetProperty("tau").GetDouble(), p.GetProperty("eta").GetDouble(), version == "v1" ? 1 : 2, p.TryGetProperty("m", out JsonElement m) ? m.GetInt32() : 100);
            float[] logits = golden.Floats($"{version}.logits");
            int steps = (int)golden.Shape($"{version}.logits")[0], v = logits.Length / steps, t = 0;
            foreach (JsonElement step in c.GetProperty("steps").EnumerateArray())
            {
                Assert.Equal(step.GetProperty("mu_before").GetDouble(), mirostat.Mu, 1e-9);
                float[] scores = logits[(t * v)..((t + 1) * v)];
                mirostat.Apply(new int[2 * t++], scores);   // lengths that do not follow each other: the test observes by itself
                Assert.Equal(step.GetProperty("kept").GetInt32(), mirostat.Kept);
                Assert.Equal(mirostat.Kept, scores.Count(float.IsFinite));
                Assert.Equal(step.GetProperty("observed_surprise").GetDouble(), mirostat.Observe(step.GetProperty("token").GetInt32()), 1e-9);
                Assert.Equal(step.GetProperty("mu_after").GetDouble(), mirostat.Mu, 1e-9);
            }
        }
    }

    private static double[][] Softmax(Golden golden, string name)
    {
        float[] all = golden.Floats(name);
        int rows = (int)golden.Shape(name)[0], v = all.Length / rows;
        return [.. Enumerable.Range(0, rows).Select(r =>
        {
            double[] e = [.. all.Skip(r * v).Take(v).Select(z => Math.Exp(z))];
            return e.Select(x => x / e.Sum()).ToArray();
        })];
    }
}
