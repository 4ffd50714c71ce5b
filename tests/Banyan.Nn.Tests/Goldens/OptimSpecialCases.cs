using System.Text.Json;

namespace Banyan.Nn.Tests.Goldens;

/// <summary>clip_grad_norm_ and clip_grad_value_.</summary>
internal static class ClippingCase
{
    public static void Check(JsonElement c)
    {
        foreach (JsonElement row in c.GetProperty("cases").EnumerateArray())
        {
            string set = row.GetProperty("set").GetString()!, key = row.GetProperty("out").GetString()!;
            Parameter[] parameters = Gradients(set);
            double norm = row.Number("norm_type"), max = row.GetProperty("max_norm").GetDouble(), total = row.Number("total_norm");
            // The reference's total is float32.
            OptimGoldens.Close([(float)total], [(float)GradientNorm.Of(parameters, norm)], 0, 2e-6, $"{key} total");
            if (row.GetProperty("error_if_nonfinite_raises").GetBoolean())
            {
                Assert.Throws<InvalidOperationException>(() => GradientNorm.Clip(parameters, max, norm, errorIfNonFinite: true));
            }
            GradientNorm.Clip(parameters, max, norm);
            Compare(parameters, key);
        }
        foreach (string set in c.GetProperty("cases").EnumerateArray().Select(r => r.GetProperty("set").GetString()!).Distinct())
        {
            Parameter[] parameters = Gradients(set);
            GradientNorm.ClipValue(parameters, 0.5);
            Compare(parameters, $"clip/{set}/value0.5");
        }
    }

    private static Parameter[] Gradients(string set) => [.. Enumerable.Range(0, 9).Select(i => $"clip/{set}/in{i}").Where(OptimGoldens.Arrays.Has).Select(key =>
    {
        Tensor gradient = OptimGoldens.Arrays.Get(key);
        Parameter p = OptimGoldens.Parameter("p", Tensor.Zeros(gradient.Shape));
        p.Value.Grad = gradient;
        return p;
    })];

    private static void Compare(Parameter[] parameters, string key)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            OptimGoldens.Close(OptimGoldens.Arrays.Floats($"{key}/out{i}"), parameters[i].Grad!.ToArray<float>(), 0, 2e-6, $"{key}/out{i}");
        }
    }
}

/// <summary>Averages of weights.</summary>
internal static class AveragingCase
{
    public static void Check(JsonElement c)
    {
        JsonElement warm = c.GetProperty("diffusers").GetProperty("warmup").GetProperty("args"), ramp = c.GetProperty("diffusers").GetProperty("ramp").GetProperty("args");
        Run("ema/decay0.9", 0, p => WeightAverage.Exponential(p, 0.9));
        Run("ema/decay0.99", 0, p => WeightAverage.Exponential(p, 0.99));
        Run("ema/swa", 0, WeightAverage.Mean);
        Run("ema/diffusers_warmup", 1, p => WeightAverage.Warmup(p, warm.Double("decay", 0), warm.Double("inv_gamma", 1), warm.Double("power", 1)));
        Run("ema/diffusers_ramp", 1, p => WeightAverage.Ramp(p, ramp.Double("decay", 0), ramp.Double("min_decay", 0)));
    }

    private static void Run(string key, int first, Func<IEnumerable<(string, Parameter)>, WeightAverage> make)
    {
        Tensor weights = OptimGoldens.Arrays.Get("ema/weights"), expected = OptimGoldens.Arrays.Get(key);
        Parameter p = OptimGoldens.Parameter("w", OptimGoldens.At(weights, 0));
        WeightAverage average = make([("w", p)]);
        for (int t = first; t < weights.Shape[0]; t++)
        {
            p.Value.CopyFrom(OptimGoldens.At(weights, t));
            average.Update();
            OptimGoldens.Close(OptimGoldens.At(expected, t - first).ToArray<float>(), average.Tensors["w"].ToArray<float>(), 1e-6, 1e-6, $"{key} after {t}");
        }
        average.Swap();
        OptimGoldens.Close(OptimGoldens.At(expected, (int)expected.Shape[0] - 1).ToArray<float>(), p.Value.ToArray<float>(), 1e-6, 1e-6, "swapped");
    }
}

/// <summary>Loss scaling with skipped steps.</summary>
internal static class GradScalerCase
{
    public static void Check(JsonElement c)
    {
        int index = 0;
        foreach (JsonElement sequence in c.GetProperty("sequences").EnumerateArray())
        {
            JsonElement args = sequence.GetProperty("args");
            Tensor gradients = OptimGoldens.Arrays.Get($"gradscaler/{index}/unscaled_grad"), trajectory = OptimGoldens.Arrays.Get($"gradscaler/{index}/traj");
            Parameter p = OptimGoldens.Parameter("p", OptimGoldens.Arrays.Get($"gradscaler/{index++}/init"));
            var optimizer = new Sgd([new ParameterGroup([("p", p)], 0)], 0.1, momentum: 0.9);
            var scaler = new GradScaler(args.Double("init_scale", 0), args.Double("growth_factor", 0), args.Double("backoff_factor", 0), (int)args.Long("growth_interval", 0));
            foreach (JsonElement row in sequence.GetProperty("rows").EnumerateArray())
            {
                int t = row.GetProperty("step").GetInt32();
                Assert.Equal(row.GetProperty("scale_before").GetDouble(), scaler.Scale);
                p.Value.ZeroGrad();
                Tensor gradient = OptimGoldens.At(gradients, t);
                if (row.GetProperty("nonfinite").GetBoolean())
                {
                    gradient.Slice(0, 0, 1).Fill(row.Number("total_norm"));   // the file holds the gradient without the fault
                }
                using var scope = new Scope(new() { RecordGradients = true });
                scaler.ScaleLoss((scope.Use(p) * gradient).Sum()).Backward();
                Assert.Equal(row.GetProperty("stepped").GetBoolean(), scaler.Step(optimizer, maxNorm: 1));
                Assert.Equal(row.GetProperty("scale_after").GetDouble(), scaler.Scale);
                Assert.Equal(row.GetProperty("growth_tracker").GetInt32(), scaler.GrowthTracker);
                OptimGoldens.Close([(float)row.Number("total_norm")], [(float)scaler.Norm], 0, 1e-6, $"norm of step {t}");
                OptimGoldens.Close(OptimGoldens.At(trajectory, t).ToArray<float>(), p.Value.ToArray<float>(), 1e-6, 1e-6, $"weights after {t}");
            }
        }
    }
}

/// <summary>Which parameters decay.</summary>
internal static class DecayNamesCase
{
    public static void Check(JsonElement c)
    {
        foreach (JsonProperty model in c.GetProperty("models").EnumerateObject())
        {
            string[] decay = [.. model.Value.GetProperty("decay").EnumerateArray().Select(n => n.GetString()!)];
            string[] keep = [.. model.Value.GetProperty("no_decay").EnumerateArray().Select(n => n.GetString()!)];
            var root = new Tree();
            foreach (string name in decay.Concat(keep))
            {
                root.Plant(name);
            }
            root.Initialize(0);
            ParameterGroup[] groups = ParameterGroup.DecayMatrices(root, 0.1);
            Assert.Equal(decay.Order(), groups[0].Parameters.Select(p => p.Name).Order());
            Assert.Equal(keep.Order(), groups[1].Parameters.Select(p => p.Name).Order());
            Assert.Equal((0.1, 0.0), (groups[0].WeightDecay, groups[1].WeightDecay));
        }
    }

    // A model with given parameter names: norms and biases are vectors, everything else is a matrix.
    private sealed class Tree : Module
    {
        public void Plant(string path)
        {
            int dot = path.IndexOf('.', StringComparison.Ordinal);
            if (dot < 0)
            {
                Add(path, path == "bias" || IsNorm ? [4] : [4, 4]);
                return;
            }
            string head = path[..dot];
            Tree? child = Children.FirstOrDefault(k => k.Name == head).Module as Tree;
            child ??= Add(head, new Tree { IsNorm = head.Contains("norm", StringComparison.OrdinalIgnoreCase) || head.StartsWith("ln_", StringComparison.Ordinal) });
            child.Plant(path[(dot + 1)..]);
        }

        private bool IsNorm { get; init; }
    }
}

/// <summary>An optimizer on a function of its own, through autograd.</summary>
internal static class FunctionCase
{
    public static void Check(JsonElement c)
    {
        string name = c.GetProperty("name").GetString()!, function = name.Split('_')[1];
        Parameter x = OptimGoldens.Parameter("x", OptimGoldens.Arrays.Get($"{function}/x0"));
        Optimizer optimizer = OptimizerTable.Make(c.GetProperty("reference").GetString()!, c.GetProperty("hyper"), [new ParameterGroup([("x", x)], 0)])!;
        Tensor trajectory = OptimGoldens.Arrays.Get($"{name}/traj");
        JsonElement losses = c.GetProperty("loss_before_step"), distance = c.GetProperty("distance_to_float64");
        for (int t = 0; t < trajectory.Shape[0]; t++)
        {
            x.Value.ZeroGrad();
            using var scope = new Scope(new() { RecordGradients = true });
            Tensor loss = function == "quadratic" ? Quadratic(scope.Use(x)) : Rosenbrock(scope.Use(x));
            loss.Backward();
            OptimGoldens.Close([(float)losses[t].GetDouble()], [(float)loss.Item()], 1e-5, 1e-5, $"loss before step {t}");
            optimizer.Step();
            double tolerance = 1e-6 + 20 * distance[t].GetDouble();
            OptimGoldens.Close(OptimGoldens.At(trajectory, t).ToArray<float>(), x.Value.ToArray<float>(), tolerance, 0, $"x after step {t}");
        }
    }

    private static Tensor Quadratic(Tensor x)
    {
        Tensor a = OptimGoldens.Arrays.Get("quadratic/A"), b = OptimGoldens.Arrays.Get("quadratic/b");
        return (x * a.MatMul(x)).Sum() * 0.5 - (b * x).Sum();
    }

    private static Tensor Rosenbrock(Tensor point)
    {
        Tensor x = point.Slice(0, 0, 1), y = point.Slice(0, 1, 1);
        Tensor a = 1 - x, b = y - x * x;
        return (a * a + 100 * (b * b)).Sum();
    }
}

/// <summary>AdamW with 8-bit moments.</summary>
internal static class EightBitCase
{
    public static void Check(JsonElement c)
    {
        JsonElement args = c.GetProperty("args");
        Assert.Equal(OptimGoldens.Arrays.Floats("adam8bit/qmap_signed"), Cpu.DynamicMap.Signed.Values);
        Assert.Equal(OptimGoldens.Arrays.Floats("adam8bit/qmap_unsigned"), Cpu.DynamicMap.Unsigned.Values);
        Parameter p = OptimGoldens.Parameter("w", OptimGoldens.Arrays.Get("adam8bit/init"));
        CheckCodes(p.Value.ToArray<float>(), c.GetProperty("agreement_of_formula_codes").GetDouble());
        Tensor gradients = OptimGoldens.Arrays.Get("adam8bit/grad"), trajectory = OptimGoldens.Arrays.Get("adam8bit/traj");
        var optimizer = new AdamW8Bit([new ParameterGroup([("w", p)], args.Double("weight_decay", 0))], args.Double("lr", 0), args.At("betas", 0, 0), args.At("betas", 1, 0), args.Double("eps", 0), minCount: 1);
        int stored = 0;
        for (int t = 0; t < 30; t++)
        {
            p.Value.Grad = OptimGoldens.At(gradients, t);
            optimizer.Step();
            if (c.GetProperty("steps_stored")[stored].GetInt32() == t + 1)
            {
                double distance = c.GetProperty("distance_of_plain_formula").GetProperty($"{t + 1}").GetDouble();
                OptimGoldens.Close(OptimGoldens.At(trajectory, stored++).ToArray<float>(), p.Value.ToArray<float>(), 1e-6 + distance, 0, $"step {t + 1}");
                CompareState(optimizer.StateTensors, t + 1);
            }
        }
    }

    private static void CheckCodes(float[] x, double agreement)
    {
        byte[] expected = OptimGoldens.Arrays.Get("adam8bit/quantize_check/codes").ToArray<byte>(), actual = new byte[x.Length];
        float[] scales = OptimGoldens.Arrays.Floats("adam8bit/quantize_check/absmax");
        for (int block = 0; block < scales.Length; block++)
        {
            int first = block * 256;
            Assert.Equal(scales[block], Encode(x.AsSpan(first, Math.Min(256, x.Length - first)), actual.AsSpan(first)));
        }
        int[] differing = [.. Enumerable.Range(0, x.Length).Where(i => expected[i] != actual[i])];
        Assert.True(x.Length - differing.Length >= Math.Round(agreement * x.Length), $"{differing.Length} of {x.Length} codes differ");
        foreach (int i in differing)
        {
            // The reference rounds a number that lies within 1 % of the middle between two codes the other way.
            float[] map = Cpu.DynamicMap.Signed.Values;
            double value = x[i] / scales[i / 256], mine = Math.Abs(value - map[actual[i]]), other = Math.Abs(value - map[expected[i]]);
            Assert.True(mine <= other && other - mine < 0.01 * Math.Abs(map[actual[i]] - map[expected[i]]), $"code {i}: {actual[i]} for {expected[i]}");
        }
    }

    private static unsafe float Encode(ReadOnlySpan<float> x, Span<byte> codes)
    {
        fixed (float* p = x)
        fixed (byte* q = codes)
        {
            return Cpu.AdamW8BitLoop.Encode(Cpu.DynamicMap.Signed, p, x.Length, q);
        }
    }

    // The reference's search for the nearest code errs for a few percent of the numbers (of the unsigned map above all), and such an error
    // lives on in the state: most codes are equal, the others are neighbours, or both next to nothing.
    private static void CompareState(IReadOnlyDictionary<string, Tensor> state, int step)
    {
        foreach ((string mine, string golden, Cpu.DynamicMap map) in new[] { ("1", "m", Cpu.DynamicMap.Signed), ("2", "v", Cpu.DynamicMap.Unsigned) })
        {
            byte[] expected = OptimGoldens.Arrays.Get($"adam8bit/state{step}/{golden}_codes").ToArray<byte>(), codes = state["w/state" + mine].ToArray<byte>();
            int equal = expected.Zip(codes).Count(z => z.First == z.Second);
            Assert.True(equal >= 0.95 * codes.Length, $"step {step}: {codes.Length - equal} of {codes.Length} codes of {golden} differ");
            Assert.All(expected.Zip(codes), z => Assert.True(
                Math.Abs(z.First - z.Second) <= 1 || Math.Max(Math.Abs(map.Values[z.First]), Math.Abs(map.Values[z.Second])) < 1e-4, $"step {step}: code {z.Second} of {golden} for {z.First}"));
            OptimGoldens.Close(OptimGoldens.Arrays.Floats($"adam8bit/state{step}/{golden}_absmax"), state["w/absmax" + mine].ToArray<float>(), 0, step == 1 ? 1e-6 : 1e-2, $"absmax {golden} {step}");
        }
    }
}
