using System.Text.Json;
using Banyan.Nn;
using Banyan.Testing;
using Xunit;

namespace Banyan.Models.Tests.Goldens;

/// <summary>Every model of the goldens against transformers: outputs, hidden states, gradients, greedy ids, caches, padding.</summary>
[Trait("Category", "Golden")]
public sealed class ModelGoldenTests
{
    public static IEnumerable<object[]> Cases => Golden.Cases("goldens", "models");

    [SkippableTheory, MemberData(nameof(Cases))]
    public void OutputsAndHiddenStates(string name)
    {
        using var golden = GoldenModel.Open(name);
        var results = ForwardRun.Run(golden.Model, golden.Inputs()).ToDictionary(r => r.Name, r => r.Value);
        int compared = 0;
        foreach (string key in golden.Names("out.").Concat(golden.Names("hidden.")).Concat(golden.Names("encoder_hidden.")).Concat(golden.Names("decoder_hidden.")))
        {
            Assert.True(results.ContainsKey(key), $"{name}: the model gives no {key}; it gives {string.Join(", ", results.Keys)}");
            golden.Compare(key, results[key]);
            compared++;
        }
        Assert.True(compared > 0);
    }

    [SkippableTheory, MemberData(nameof(Cases))]
    public void Gradients(string name)
    {
        using var golden = GoldenModel.Open(name);
        var grads = ForwardRun.Run(golden.Model, golden.Inputs(), gradients: true, golden.LossDefinition).Where(r => r.Name.StartsWith("grad.", StringComparison.Ordinal))
            .ToDictionary(r => r.Name["grad.".Length..], r => r.Value);
        double largest = golden.Case.GetProperty("gradients").EnumerateObject().Max(p => p.Value[0].GetDouble());
        double tolerance = name == "patchtst" ? 2e-3 : 1e-3;   // where the reference itself is that far from its float64 run
        foreach (JsonProperty expected in golden.Case.GetProperty("gradients").EnumerateObject())
        {
            Assert.True(grads.TryGetValue(expected.Name, out Tensor? grad), $"{name}: no gradient of {expected.Name}");
            // Mathematically zero, as those of key biases under softmax: what is left is rounding of much larger numbers.
            double rounding = 1e-7 * largest;
            if (expected.Value[0].GetDouble() < rounding)
            {
                Assert.All(grad!.ToDoubles(), g => Assert.InRange(Math.Abs(g), 0, Math.Max(1e-5, rounding)));
                continue;
            }
            CheckNormAndDot(golden, expected, grad!.ToDoubles(), tolerance);
            if (golden.Has("grad." + expected.Name))
            {
                golden.Compare("grad." + expected.Name, grad, tolerance);
            }
            if (golden.Has("gradrow." + expected.Name))
            {
                long row = (long)golden.Get("gradrow_index." + expected.Name).Item();
                golden.Close("gradrow." + expected.Name, golden.Get("gradrow." + expected.Name).ToDoubles(), grad.Select(0, row).ToDoubles(), tolerance);
            }
        }
        Assert.Equal(golden.Case.GetProperty("gradients").EnumerateObject().Select(p => p.Name).Order(), grads.Keys.Order());
    }

    [SkippableTheory, MemberData(nameof(Cases))]
    public void RouterLosses(string name)
    {
        using var golden = GoldenModel.Open(name, config => config["output_router_logits"] = true);
        Skip.IfNot(golden.Has("aux_loss") && golden.Model is CausalLanguageModel, "no such golden");
        using var scope = new Scope(new() { RecordGradients = true });
        var routers = new RouterTap();
        Dictionary<string, Tensor> inputs = golden.Inputs();
        inputs["labels"] = inputs["input_ids"];
        golden.Model.ZeroGrad();
        Tensor loss = golden.Model.Run(new ModelInputs(inputs), new ForwardPass(scope) { Tap = routers }).Loss!;
        for (int i = 0; i < golden.Names("router_logits.").Count(); i++)
        {
            golden.Compare($"router_logits.{i}", routers.Logits[i]);
        }
        golden.Close("aux_loss", golden.Get("aux_loss").ToDoubles(), ((DecoderModel)golden.Model).RouterLoss!.Of(routers.Logits).ToDoubles(), 1e-4);
        golden.Close("loss_with_aux", golden.Get("loss_with_aux").ToDoubles(), loss.ToDoubles(), 1e-4);
        loss.Backward();
        Dictionary<string, Parameter> parameters = golden.Model.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
        double[] without = ForwardRun.Run(golden.Model, inputs).Single(r => r.Name == "out.loss").Value.ToDoubles();   // the same without a tape
        golden.Close("loss_with_aux", golden.Get("loss_with_aux").ToDoubles(), without, 1e-4);
        Assert.All(golden.Names("grad_with_aux."), key => golden.Compare(key, parameters[key["grad_with_aux.".Length..]].Grad!, 1e-3));
    }

    private sealed class RouterTap : ITap
    {
        public List<Tensor> Logits { get; } = [];

        public Tensor Visit(string path, Tensor output)
        {
            if (path.EndsWith(".router_logits", StringComparison.Ordinal))
            {
                Logits.Add(output);
            }
            return output;
        }
    }

    private static void CheckNormAndDot(GoldenModel golden, JsonProperty expected, double[] g, double tolerance)
    {
        double norm = 0, dot = 0;
        for (int i = 0; i < g.Length; i++)
        {
            norm += g[i] * g[i];
            dot += g[i] * Math.Cos(i);
        }
        norm = Math.Sqrt(norm);
        double[] wanted = [.. expected.Value.EnumerateArray().Select(v => v.GetDouble())];
        double allowed = wanted[0] < 1e-6 ? 1e-5 : tolerance * wanted[0];
        Assert.True(Math.Abs(norm - wanted[0]) <= allowed, $"{golden.Name} {expected.Name}: norm {norm:g6}, expected {wanted[0]:g6}");
        Assert.True(Math.Abs(dot - wanted[1]) <= allowed, $"{golden.Name} {expected.Name}: dot {dot:g6}, expected {wanted[1]:g6}");
    }

    [SkippableTheory, MemberData(nameof(Cases))]
    public void LeftPadding(string name)
    {
        using var golden = GoldenModel.Open(name);
        Skip.IfNot(golden.Has("leftpad.row1_logits"), "no such golden");
        GreedyRun(golden);   // as the reference did before: dynamic rotary scaling remembers the longest sequence
        var inputs = golden.Inputs("leftpad.");
        inputs.Remove("row1_logits");
        Tensor logits = ForwardRun.Run(golden.Model, inputs).Single(r => r.Name == "out.logits").Value;
        Tensor expected = golden.Get("leftpad.row1_logits");
        long n = expected.Shape[0];
        golden.Close("leftpad", expected.ToDoubles(), logits.Select(0, 1).Slice(0, logits.Shape[1] - n, n).ToDoubles(), 1e-4);
    }

    [SkippableTheory, MemberData(nameof(Cases))]
    public void CachedInChunks(string name)
    {
        using var golden = GoldenModel.Open(name);
        Skip.IfNot(golden.Has("cached.logits") && golden.Model is CausalLanguageModel, "no such golden");
        var model = (CausalLanguageModel)golden.Model;
        Tensor ids = golden.Get("in.input_ids");
        int batch = (int)ids.Shape[0], length = (int)ids.Shape[1];
        int[] chunks = [.. golden.Case.GetProperty("cached_decoding").GetProperty("chunks").EnumerateArray().Select(c => c.GetInt32()), length];
        long[] all = ids.ToArray<long>();
        SequenceCache[] caches = [.. Enumerable.Range(0, batch).Select(_ => new SequenceCache())];
        var perToken = new double[batch][][];
        for (int b = 0; b < batch; b++)
        {
            perToken[b] = new double[length][];
        }
        for (int c = 0; c + 1 < chunks.Length; c++)
        {
            int n = chunks[c + 1] - chunks[c];
            if (n <= 0)
            {
                continue;
            }
            using var scope = new Scope();
            long[] part = [.. Enumerable.Range(0, batch).SelectMany(b => all.AsSpan(b * length + chunks[c], n).ToArray())];
            TokenBatch tokens = TokenBatch.Continue(part, [.. Enumerable.Repeat(n, batch)], caches, scope);
            var pass = new ForwardPass(scope);
            Tensor logits = model.Logits(model.Hidden(tokens, pass), pass);
            for (int b = 0; b < batch; b++)
            {
                for (int t = 0; t < n; t++)
                {
                    perToken[b][chunks[c] + t] = logits.Select(0, b * n + t).ToDoubles();
                }
            }
        }
        Tensor expected = golden.Get("cached.logits");   // (rows, last 3 positions, V)
        int rows = (int)expected.Shape[0], last = (int)expected.Shape[1];
        double[] actual = [.. Enumerable.Range(0, rows).SelectMany(b => perToken[b].Skip(length - last).SelectMany(l => l))];
        golden.Close("cached.logits", expected.ToDoubles(), actual, 1e-4);
    }

    [SkippableTheory, MemberData(nameof(Cases))]
    public void GreedyIds(string name)
    {
        using var golden = GoldenModel.Open(name);
        Skip.IfNot(golden.Has("greedy.input_ids") && golden.Model is CausalLanguageModel, "no such golden");
        Assert.Equal(golden.Get("greedy.ids").ToArray<long>(), GreedyRun(golden));
    }

    [SkippableTheory, MemberData(nameof(Cases))]
    public void GreedyTargets(string name)
    {
        using var golden = GoldenModel.Open(name);
        Skip.IfNot(golden.Has("greedy.ids") && golden.Model is EncoderDecoderModel, "no such golden");
        var model = (EncoderDecoderModel)golden.Model;
        long[] expected = golden.Get("greedy.ids").ToArray<long>();
        int batch = (int)golden.Get("greedy.ids").Shape[0], length = expected.Length / batch;
        long[] last = [.. Enumerable.Range(0, batch).Select(b => expected[b * length])];
        List<long>[] ids = [.. last.Select(first => new List<long> { first })];
        SequenceCache[] caches = [.. Enumerable.Range(0, batch).Select(_ => new SequenceCache())];
        for (int step = 1; step < length; step++)
        {
            using var scope = new Scope();
            var pass = new ForwardPass(scope);
            TokenBatch tokens = TokenBatch.Continue(last, [.. Enumerable.Repeat(1, batch)], caches, scope);
            tokens.Source = step == 1 ? model.Encode(new ModelInputs(golden.Inputs("gen.")), pass) : null;   // then the caches remember it
            Tensor logits = model.Logits(model.Hidden(tokens, pass), pass);
            for (int b = 0; b < batch; b++)
            {
                double[] row = logits.Select(0, b).ToDoubles();
                ids[b].Add(last[b] = Array.IndexOf(row, row.Max()));
            }
        }
        Assert.Equal(model.DecoderStartTokenId, expected[0]);
        Assert.Equal(expected, ids.SelectMany(row => row));
    }

    /// <summary>Continues the prompt by the most likely ids, without a cache.</summary>
    private static IEnumerable<long> GreedyRun(GoldenModel golden)
    {
        var model = (CausalLanguageModel)golden.Model;
        List<long> ids = [.. golden.Get("greedy.input_ids").ToArray<long>()];
        int prompt = ids.Count, end = prompt + (int)golden.Get("greedy.ids").Count;
        while (ids.Count < end)
        {
            using var scope = new Scope();
            var pass = new ForwardPass(scope);
            Tensor hidden = model.Hidden(TokenBatch.Packed([.. ids], [ids.Count], scope), pass);
            double[] logits = model.Logits(hidden.Slice(0, ids.Count - 1, 1), pass).ToDoubles();
            ids.Add(Array.IndexOf(logits, logits.Max()));
        }
        return ids.Skip(prompt);
    }
}
