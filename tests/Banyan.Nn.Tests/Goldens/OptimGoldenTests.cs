using System.Text.Json;

namespace Banyan.Nn.Tests.Goldens;

/// <summary>Every case of goldens/optim/optim.json as one named test. An optimizer that does not exist yet is pending: skipped by name.</summary>
[Trait("Category", "Golden")]
public class OptimGoldenTests
{
    // Numbers that the reference keeps and does not need: the weight's size, and the last update.
    private static readonly string[] s_derived = ["RMS", "orthogonal"];

    public static TheoryData<string> Cases() => OptimGoldens.Names("optim.json");

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Matches(string name)
    {
        JsonElement c = OptimGoldens.Case("optim.json", name);
        switch (name)
        {
            case "adam8bit": EightBitCase.Check(c); break;
            case "clipping": ClippingCase.Check(c); break;
            case "ema": AveragingCase.Check(c); break;
            case "gradscaler": GradScalerCase.Check(c); break;
            case "decay_names": DecayNamesCase.Check(c); break;
            case "adam_quadratic" or "sgd_rosenbrock": FunctionCase.Check(c); break;
            default: Trajectory(name, c); break;
        }
    }

    private static void Trajectory(string name, JsonElement c)
    {
        bool hasRun = c.TryGetProperty("trajectory", out _) & c.TryGetProperty("hyper", out JsonElement hyper);
        Skip.If(!hasRun || hyper.ValueKind != JsonValueKind.Array, $"pending: {name}");
        var parameters = c.GetProperty("params").EnumerateArray().Select(p => p.GetString()!)
            .Select(p => (Name: p, Parameter: OptimGoldens.Parameter(p, OptimGoldens.Inputs.Get("init/" + p)))).ToArray();
        string reference = c.GetProperty("reference").GetString()!;
        ParameterGroup[] groups = OptimizerTable.Groups(name, hyper, parameters);
        Optimizer? made = name == "adamw_clipped" ? new AdamW(groups, hyper[0].Double("lr", 0)) : OptimizerTable.Make(reference, hyper[0], groups);
        Skip.If(made is null, $"pending: {name}");
        var run = new OptimizerRun(made!, parameters);
        for (int t = 0; t < 30; t++)
        {
            if (name == "adamw_scheduled")
            {
                made!.LearningRate = Schedule.Cosine(0.01, 0, 20).WarmUp(10).At(t);
            }
            run.Step(t, maxNorm: name == "adamw_clipped" ? 1 : 0);
            Compare(c, run, t);
        }
        CompareEvaluation(c, run);
    }

    private static void Compare(JsonElement c, OptimizerRun run, int t)
    {
        bool isBFloat16 = c.GetProperty("name").GetString()!.StartsWith("muon_torch", StringComparison.Ordinal);
        foreach ((string name, Parameter parameter) in run.Parameters)
        {
            Tensor trajectory = OptimGoldens.Arrays.Get(c.GetProperty("trajectory").GetProperty(name).GetString()!);
            float[] expected = OptimGoldens.At(trajectory, t).ToArray<float>(), actual = parameter.Value.ToArray<float>();
            if (isBFloat16)
            {
                // The reference rounds its Newton-Schulz steps to bfloat16: each step's change within 2 % of the rate; then go on from there.
                OptimGoldens.Close(expected, actual, 2e-2 * run.Optimizer.LearningRate, 0, $"step {t + 1} {name}");
                parameter.Value.CopyFrom<float>(expected);
                continue;
            }
            OptimGoldens.Close(expected, actual, Tolerance(c, t + 1), 0, $"step {t + 1} {name}");
        }
        if (c.GetProperty("states").TryGetProperty((t + 1).ToString(System.Globalization.CultureInfo.InvariantCulture), out JsonElement states))
        {
            CompareState(states, run);
        }
    }

    // 1e-6 + 20 x the reference's own distance to float64 at the next recorded step.
    private static double Tolerance(JsonElement c, int step) => 1e-6 + 20 * c.GetProperty("distance_to_float64").EnumerateObject()
        .Select(d => (Step: int.Parse(d.Name, System.Globalization.CultureInfo.InvariantCulture), Distance: d.Value.GetDouble())).First(d => d.Step >= step).Distance;

    private static void CompareState(JsonElement states, OptimizerRun run)
    {
        IReadOnlyDictionary<string, Tensor> actual = run.Optimizer.StateTensors;
        foreach (JsonProperty p in states.GetProperty("tensors").EnumerateObject())
        {
            foreach (JsonProperty what in p.Value.EnumerateObject().Where(w => !s_derived.Contains(w.Name)))
            {
                Tensor mine = actual[$"{p.Name}/{what.Name}"], golden = OptimGoldens.Arrays.Get(what.Value.GetString()!);
                Assert.Equal(golden.Shape, mine.Shape);
                OptimGoldens.Close(golden.ToArray<float>(), mine.ToArray<float>(), 1e-7, 1e-5, $"{p.Name}/{what.Name} after {run.Optimizer.StepCount}");
            }
        }
        IReadOnlyDictionary<string, double> numbers = run.Optimizer.StateNumbers;
        foreach (JsonProperty p in states.GetProperty("scalars").EnumerateObject())
        {
            Assert.Equal(p.Value.GetProperty("step").GetDouble(), numbers[$"{p.Name}/step"]);
        }
        if (run.Optimizer is ScheduleFreeAdamW && states.GetProperty("groups").TryGetProperty("group0", out JsonElement group))
        {
            Assert.Equal(group.GetProperty("weight_sum").GetDouble(), numbers["weight_sum"], 1e-12);
            Assert.Equal(group.GetProperty("lr_max").GetDouble(), numbers["lr_max"], 1e-12);
        }
    }

    private static void CompareEvaluation(JsonElement c, OptimizerRun run)
    {
        if (run.Optimizer is not ScheduleFreeAdamW free)
        {
            return;
        }
        float[][] before = [.. run.Parameters.Select(p => p.Parameter.Value.ToArray<float>())];
        free.Eval();
        foreach ((string name, Parameter parameter) in run.Parameters)
        {
            float[] expected = OptimGoldens.Arrays.Floats(c.GetProperty("eval").GetProperty(name).GetString()!);
            OptimGoldens.Close(expected, parameter.Value.ToArray<float>(), Tolerance(c, 30), 0, $"eval {name}");
        }
        free.Train();
        for (int i = 0; i < before.Length; i++)
        {
            OptimGoldens.Close(before[i], run.Parameters[i].Parameter.Value.ToArray<float>(), 1e-6, 1e-6, "back in training");
        }
    }
}

/// <summary>An optimizer on the golden gradients.</summary>
internal sealed class OptimizerRun(Optimizer optimizer, (string Name, Parameter Parameter)[] parameters)
{
    private readonly Tensor[] _gradients = [.. parameters.Select(p => OptimGoldens.Inputs.Get("grad/" + p.Name))];

    public Optimizer Optimizer => optimizer;

    public (string Name, Parameter Parameter)[] Parameters => parameters;

    public void Step(int t, double maxNorm = 0)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i].Parameter.Value.Grad = OptimGoldens.At(_gradients[i], t);
        }
        double norm = maxNorm > 0 ? GradientNorm.Of(parameters.Select(p => p.Parameter)) : 0;
        optimizer.Step(GradientNorm.ClipFactor(norm, maxNorm));
    }
}
