using Banyan.Nn.Tests.Goldens;

namespace Banyan.Nn.Tests;

/// <summary>What every optimizer promises, whatever its formula.</summary>
public class OptimizerTests
{
    private static readonly Dictionary<string, Func<IEnumerable<ParameterGroup>, Optimizer>> s_all = new()
    {
        ["sgd"] = g => new Sgd(g, 0.01),
        ["sgd_momentum"] = g => new Sgd(g, 0.01, 0.9, nesterov: true),
        ["adam"] = g => new Adam(g, amsGrad: true),
        ["adamw"] = g => new AdamW(g),
        ["adamw8bit"] = g => new AdamW8Bit(g, minCount: 300),
        ["adafactor"] = g => new Adafactor(g, new() { Beta1 = 0.9 }),
        ["adafactor_transformers"] = g => new Adafactor(g, new() { Style = AdafactorStyle.Transformers }),
        ["lion"] = g => new Lion(g),
        ["muon"] = g => new Muon(g),
        ["schedule_free_adamw"] = g => new ScheduleFreeAdamW(g, warmup: 3),
    };

    public static TheoryData<string, string> Types()
    {
        var data = new TheoryData<string, string>();
        foreach (string name in s_all.Keys)
        {
            data.Add(name, "float32");
            data.Add(name, "bfloat16");
        }
        return data;
    }

    [Fact]
    public void EveryOptimizerIsInTheContract() =>
        Assert.Equal(
            typeof(Optimizer).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Optimizer)) && !t.IsAbstract).Select(t => t.Name).Order(),
            s_all.Values.Select(make => make([]).GetType().Name).Distinct().Order());

    [Theory]
    [MemberData(nameof(Types))]
    public void ResumesToTheBit(string name, string type)
    {
        (string, Parameter)[] straight = Model(type), first = Model(type);
        Optimizer whole = Make(name, straight), half = Make(name, first);
        Run(whole, straight, 0, 9);
        Run(half, first, 0, 4);
        (string, Parameter)[] second = Model(type);
        foreach (((_, Parameter to), (_, Parameter from)) in second.Zip(first))
        {
            to.Value.CopyFrom(from.Value);
        }
        Optimizer resumed = Make(name, second);
        resumed.LoadState(half.StateTensors, half.StateNumbers.ToDictionary(n => n.Key, n => double.Parse($"{n.Value:R}", System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(4, resumed.StepCount);
        Run(resumed, second, 4, 9);
        Equal(straight, second);
        Assert.Equal(whole.StateNumbers.OrderBy(n => n.Key), resumed.StateNumbers.OrderBy(n => n.Key));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void GradientScaleEqualsScaledGradients(string name, string type)
    {
        (string, Parameter)[] a = Model(type), b = Model(type);
        Optimizer scaled = Make(name, a), plain = Make(name, b);
        Run(scaled, a, 0, 3, gradientScale: 0.25);
        Run(plain, b, 0, 3, factor: 0.25f);
        Equal(a, b);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void FrozenParametersAndThoseWithoutGradientStay(string name, string type)
    {
        (string, Parameter)[] model = Model(type);
        Optimizer optimizer = Make(name, model);
        float[] before = Floats(model[0].Item2);
        model[0].Item2.IsTrainable = false;
        Run(optimizer, model, 0, 2);
        Assert.Equal(before, Floats(model[0].Item2));
        model[0].Item2.IsTrainable = true;
        foreach ((_, Parameter p) in model)
        {
            p.Value.ZeroGrad();
        }
        float[][] rest = [.. model.Select(p => Floats(p.Item2))];
        optimizer.Step();
        Assert.Equal(rest, model.Select(p => Floats(p.Item2)));
        Assert.False(optimizer.StateNumbers.ContainsKey("a/step"));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void AStepAllocatesNothing(string name, string type)
    {
        (string, Parameter)[] model = Model(type);
        Optimizer optimizer = Make(name, model);
        Run(optimizer, model, 0, 3);
        long least = long.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            optimizer.Step();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    [Fact]
    public void ShardsUpdateTheirRangesAsTheWholeDoes()
    {
        (string, Parameter)[] whole = Model("float32"), parts = Model("float32");
        Run(Make("adamw", whole), whole, 0, 3);
        Func<string, Parameter, (long, long)> left = (_, p) => (0, p.Shape.Count / 3), right = (_, p) => (p.Shape.Count / 3, p.Shape.Count - p.Shape.Count / 3);
        Optimizer a = new AdamW(Groups(parts)) { Shard = left }, b = new AdamW(Groups(parts)) { Shard = right };
        for (int t = 0; t < 3; t++)
        {
            Give(parts, t, 1);
            a.Step();
            b.Step();
        }
        Equal(whole, parts);
        Assert.Throws<NotSupportedException>(() => new Muon(Groups(parts)) { Shard = left });
    }

    [Fact]
    public void StateOfAnotherModelIsRefused()
    {
        (string, Parameter)[] model = Model("float32");
        Optimizer optimizer = Make("adamw", model);
        Run(optimizer, model, 0, 1);
        var other = new AdamW([new ParameterGroup([("z", model[0].Item2)], 0)]);
        Assert.Contains("'a'", Assert.Throws<InvalidDataException>(() => other.LoadState(optimizer.StateTensors, optimizer.StateNumbers)).Message);
        Assert.Throws<ArgumentException>(() => new AdamW([new ParameterGroup([("a", model[0].Item2), ("a", model[1].Item2)], 0)]));
        Assert.Throws<ArgumentException>(() => new Muon([new ParameterGroup([("v", OptimGoldens.Parameter("v", Tensor.Zeros([3])))], 0)]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1023)]
    [InlineData(1041)]
    [InlineData(50_003)]
    public void NormIsThatOfThePlainSum(int n)
    {
        Tensor x = Tensor.Zeros([n]);
        x.FillNormal(1, 3, 1);
        Parameter p = OptimGoldens.Parameter("p", Tensor.Zeros([n]));
        p.Value.Grad = x;
        double sum = x.ToArray<float>().Sum(v => (double)v * v);
        Assert.Equal(Math.Sqrt(sum), GradientNorm.Of([p]), 1e-6 * Math.Sqrt(sum));
    }

    private static Optimizer Make(string name, (string, Parameter)[] model) => s_all[name](Groups(model));

    private static ParameterGroup[] Groups((string, Parameter)[] model) => [new ParameterGroup(model[..1], 0.1), new ParameterGroup(model[1..], 0, lrScale: 2)];

    // Matrices, so that Muon takes them; odd sizes, so that every kernel has a tail.
    private static (string, Parameter)[] Model(string type)
    {
        DType dtype = type == "bfloat16" ? DType.BFloat16 : DType.Float32;
        return [.. new (string, Shape)[] { ("a", [33, 29]), ("b", [7, 3, 2]), ("c", [1, 301]) }.Select((p, i) =>
        {
            Tensor value = Tensor.Zeros(p.Item2);
            value.FillNormal(1, 5, (uint)i);
            return (p.Item1, OptimGoldens.Parameter(p.Item1, value.To(dtype)));
        })];
    }

    private static void Run(Optimizer optimizer, (string, Parameter)[] model, int from, int to, double gradientScale = 1, float factor = 1)
    {
        for (int t = from; t < to; t++)
        {
            Give(model, t, factor);
            optimizer.Step(gradientScale);
        }
    }

    private static void Give((string, Parameter)[] model, int t, float factor)
    {
        for (int i = 0; i < model.Length; i++)
        {
            Tensor gradient = Tensor.Zeros(model[i].Item2.Shape);
            gradient.FillNormal(1, 77 + t, (uint)i);
            model[i].Item2.Value.Grad = (gradient * (double)factor).To(model[i].Item2.Value.DType);
        }
    }

    private static float[] Floats(Parameter p) => p.Value.To(DType.Float32).ToArray<float>();

    private static void Equal((string, Parameter)[] a, (string, Parameter)[] b)
    {
        for (int i = 0; i < a.Length; i++)
        {
            Assert.Equal(Floats(a[i].Item2), Floats(b[i].Item2));
        }
    }
}
