using System.Text.Json;

namespace Banyan.Nn.Tests.Goldens;

/// <summary>Every case of goldens/optim/schedules.json as one named test: 100 rates, to 1e-9.</summary>
[Trait("Category", "Golden")]
public class ScheduleGoldenTests
{
    public static TheoryData<string> Cases() => OptimGoldens.Names("schedules.json");

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Matches(string name)
    {
        JsonElement c = OptimGoldens.Case("schedules.json", name), a = c.GetProperty("args");
        double rate = c.GetProperty("base_lr").GetDouble();
        if (c.TryGetProperty("metrics", out JsonElement metrics))
        {
            Plateau(c, a, rate, metrics);
            return;
        }
        Schedule? schedule = Make(name, a, rate);
        Skip.If(schedule is null, $"pending: {name}");
        Compare(c.GetProperty("lr"), schedule!);
        if (c.TryGetProperty("momentum", out JsonElement momentum))
        {
            Compare(momentum, Momentum(name, a));
        }
    }

    private static void Compare(JsonElement values, Schedule schedule)
    {
        for (int t = 0; t < values.GetArrayLength(); t++)
        {
            double expected = values[t].GetDouble(), actual = schedule.At(t);
            Assert.True(Math.Abs(expected - actual) <= 1e-9, $"step {t}: expected {expected:R}, got {actual:R}");
        }
    }

    private static void Plateau(JsonElement c, JsonElement a, double rate, JsonElement metrics)
    {
        var plateau = new ReduceOnPlateau(rate, a.Text("mode", "min") == "max", a.Double("factor", 0.1), (int)a.Long("patience", 10), a.Double("threshold", 1e-4),
            a.Text("threshold_mode", "rel") == "abs", (int)a.Long("cooldown", 0), a.Double("min_lr", 0));
        for (int t = 0; t < metrics.GetArrayLength(); t++)
        {
            Assert.Equal(c.GetProperty("lr")[t].GetDouble(), plateau.Rate, 1e-9);
            plateau.Report(metrics[t].GetDouble());
        }
    }

    private static Schedule? Make(string name, JsonElement a, double rate)
    {
        long warmup = a.Long("num_warmup_steps", 0), total = a.Long("num_training_steps", 0);
        return a.Text("name", name) switch
        {
            "constant" or "constant_with_warmup" => Schedule.Constant(rate, warmup),
            "linear" => Schedule.Linear(rate, warmup, total),
            "cosine" or "hf_cosine_half_cycles" => Schedule.Cosine(rate, warmup, total, cycles: a.Double("num_cycles", 0.5)),
            "cosine_with_restarts" => Schedule.CosineWithRestarts(rate, warmup, total, (int)a.Long("num_cycles", 1)),
            "cosine_with_min_lr" or "cosine_warmup_with_min_lr" => Schedule.Cosine(rate, warmup, total, a.Double("min_lr", rate * a.Double("min_lr_rate", 0)),
                warmupFloor: a.Double("warmup_lr_rate", -1) is var w && w >= 0 ? w * rate : null),
            "polynomial" => Schedule.Polynomial(rate, warmup, total, a.Double("lr_end", 1e-7), a.Double("power", 1)),
            "inverse_sqrt" => Schedule.InverseSqrt(rate, warmup, a.Long("timescale", -1) is var s && s >= 0 ? s : null),
            "warmup_stable_decay" => Schedule.WarmupStableDecay(rate, warmup, a.Long("num_decay_steps", 0), total, rate * a.Double("min_lr_ratio", 0),
                Shape(a.Text("warmup_type", "linear")), Shape(a.Text("decay_type", "cosine"))),
            "wsd_sqrt_paper" => Schedule.WarmupStableDecay(rate, 0, 20, 90, fall: ScheduleShape.OneMinusSqrt).WarmUp(10),
            "noam" => Schedule.Noam(1, a.Long("d_model", 0), a.Long("warmup", 0)),
            "torch_sequential" => Schedule.LinearFactor(rate, 0.1, 1, 10).Then(10, Schedule.CosineAnnealing(rate, 90)),
            "torch_chained" => Schedule.ConstantFactor(rate, 0.5, 20).Times(Schedule.Exponential(1, 0.98)),
            _ => Torch(name, a, rate),
        };
    }

    private static Schedule? Torch(string name, JsonElement a, double rate) => name.Split('_')[1] switch
    {
        "StepLR" => Schedule.Step(rate, a.Long("step_size", 1), a.Double("gamma", 0.1)),
        "MultiStepLR" => Schedule.MultiStep(rate, [.. a.GetProperty("milestones").EnumerateArray().Select(m => m.GetInt64())], a.Double("gamma", 0.1)),
        "ConstantLR" => Schedule.ConstantFactor(rate, a.Double("factor", 0), a.Long("total_iters", 5)),
        "LinearLR" => Schedule.LinearFactor(rate, a.Double("start_factor", 0), a.Double("end_factor", 1), a.Long("total_iters", 5)),
        "ExponentialLR" => Schedule.Exponential(rate, a.Double("gamma", 0.1)),
        "PolynomialLR" => Schedule.Polynomial(rate, 0, a.Long("total_iters", 5), 0, a.Double("power", 1)),
        "CosineAnnealingLR" => Schedule.CosineAnnealing(rate, a.Long("T_max", 1), a.Double("eta_min", 0)),
        "CosineAnnealingWarmRestarts" => Schedule.CosineWarmRestarts(rate, a.Long("T_0", 1), (int)a.Long("T_mult", 1), a.Double("eta_min", 0)),
        "OneCycleLR" => OneCycle(a, a.Double("max_lr", 0) / a.Double("div_factor", 25), a.Double("max_lr", 0),
            a.Double("max_lr", 0) / a.Double("div_factor", 25) / a.Double("final_div_factor", 1e4)),
        "CyclicLR" => Cyclic(a, a.Double("base_lr", 0), a.Double("max_lr", 0)),
        _ => null,
    };

    private static Schedule Momentum(string name, JsonElement a) => name.Contains("OneCycle") ? OneCycle(a, 0.95, 0.85, 0.95) : Cyclic(a, 0.9, 0.8);

    private static Schedule OneCycle(JsonElement a, double start, double peak, double end) => Schedule.OneCycle(start, peak, end, a.Long("total_steps", 1),
        a.Double("pct_start", 0.3), Shape(a.Text("anneal_strategy", "cos")), a.Bool("three_phase"));

    private static Schedule Cyclic(JsonElement a, double low, double high) => Schedule.Cyclic(low, high, a.Long("step_size_up", 1), a.Long("step_size_down", a.Long("step_size_up", 1)),
        a.Text("mode", "") switch { "triangular2" => CyclicMode.Triangular2, "exp_range" => CyclicMode.ExpRange, _ => CyclicMode.Triangular }, a.Double("gamma", 1));

    private static ScheduleShape Shape(string name) => name switch
    {
        "linear" => ScheduleShape.Linear,
        "1-sqrt" => ScheduleShape.OneMinusSqrt,
        _ => ScheduleShape.Cosine,
    };
}
