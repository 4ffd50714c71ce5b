using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>
/// A running average of a model's weights beside it, in float32: a = a + (1 - d) (w - a) after each optimizer step, where the decay d may depend
/// on the number of updates. Usually evaluated and saved in place of the weights themselves.
/// </summary>
/// <example><code>
/// var average = WeightAverage.Exponential(model.NamedParameters(), decay: 0.999);
/// optimizer.Step(); average.Update();
/// average.Swap(); Evaluate(model); average.Swap();
/// </code></example>
public sealed class WeightAverage
{
    private readonly (string Name, Parameter Parameter, Tensor Value)[] _entries;
    private readonly Func<long, double> _decay;

    /// <summary>An average of floating-point parameters.</summary>
    /// <param name="parameters">With their names; buffers may be among them.</param>
    /// <param name="decay">The decay of update n, counted from 0; 0 copies the weights.</param>
    public WeightAverage(IEnumerable<(string Name, Parameter Parameter)> parameters, Func<long, double> decay)
    {
        _entries = [.. parameters.Where(p => p.Parameter.Value.DType.IsFloat).Select(p => (p.Name, p.Parameter, Copy(p.Parameter)))];
        _decay = decay;
    }

    /// <summary>Exponential moving average (Polyak and Juditsky 1992) with a constant decay; the first update copies the weights.</summary>
    public static WeightAverage Exponential(IEnumerable<(string, Parameter)> parameters, double decay) => new(parameters, n => n == 0 ? 0 : decay);

    /// <summary>The plain mean of all updates' weights: stochastic weight averaging (Izmailov et al. 2018, arXiv:1803.05407).</summary>
    public static WeightAverage Mean(IEnumerable<(string, Parameter)> parameters) => new(parameters, n => n / (n + 1.0));

    /// <summary>A decay that grows as 1 - (1 + n / invGamma)^-power up to <paramref name="decay"/> (Crowson's warm-up, as in diffusers).</summary>
    public static WeightAverage Warmup(IEnumerable<(string, Parameter)> parameters, double decay = 0.9999, double invGamma = 1, double power = 2.0 / 3, double minDecay = 0, long updateAfter = 0) =>
        new(parameters, n => Late(n, updateAfter, decay, minDecay, s => 1 - Math.Pow(1 + s / invGamma, -power)));

    /// <summary>A decay that grows as (1 + n) / (10 + n) up to <paramref name="decay"/>.</summary>
    public static WeightAverage Ramp(IEnumerable<(string, Parameter)> parameters, double decay = 0.9999, double minDecay = 0, long updateAfter = 0) =>
        new(parameters, n => Late(n, updateAfter, decay, minDecay, s => (1 + s) / (10 + s)));

    private static double Late(long n, long after, double most, double least, Func<double, double> rise) =>
        n <= after ? 0 : Math.Max(least, Math.Min(most, rise(n - after)));

    private static Tensor Copy(Parameter p)
    {
        Tensor copy = Tensor.Zeros(p.Shape, DType.Float32, p.Value.Device);
        copy.CopyFrom(p.Value);
        return copy;
    }

    /// <summary>Updates so far; set it when resuming.</summary>
    public long Updates { get; set; }

    /// <summary>The average of each parameter (float32) by name, for checkpoints.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors => _entries.ToDictionary(e => e.Name, e => e.Value);

    /// <summary>Takes the weights of the moment into the average.</summary>
    public void Update()
    {
        double decay = _decay(Updates++);
        foreach ((_, Parameter parameter, Tensor average) in _entries)
        {
            if (decay == 0)
            {
                average.CopyFrom(parameter.Value);
            }
            else
            {
                UpdateLoop.Run(new Lerp { Share = (float)(1 - decay) }, average, null, parameter.Value, 1);
            }
        }
    }

    /// <summary>Exchanges the weights and the average: once before evaluating, once after.</summary>
    /// <exception cref="InvalidOperationException">The model is not float32: rounding would lose the weights. Use <see cref="CopyTo"/>.</exception>
    public void Swap()
    {
        if (Array.Find(_entries, e => e.Parameter.Value.DType != DType.Float32) is { Name: { } half })
        {
            throw new InvalidOperationException($"weight average: '{half}' is not float32, and swapping would round it; use CopyTo with a second model");
        }
        foreach ((_, Parameter parameter, Tensor average) in _entries)
        {
            Tensor weights = Copy(parameter);
            parameter.Value.CopyFrom(average);
            average.CopyFrom(weights);
        }
    }

    /// <summary>Writes the average into a model with the same names.</summary>
    public void CopyTo(Module model)
    {
        Dictionary<string, Parameter> byName = model.NamedParameters().ToDictionary(p => p.Name, p => p.Parameter);
        foreach ((string name, _, Tensor average) in _entries)
        {
            Find(byName, name).Value.CopyFrom(average);
        }
    }

    /// <summary>Restores what <see cref="Tensors"/> gave, by copy.</summary>
    /// <exception cref="InvalidDataException">An average is missing.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> tensors)
    {
        foreach ((string name, _, Tensor average) in _entries)
        {
            average.CopyFrom(Find(tensors, name));
        }
    }

    private static T Find<T>(IReadOnlyDictionary<string, T> all, string name) => all.TryGetValue(name, out T? found) ? found
        : throw new InvalidDataException($"weight average: nothing is named '{name}'; the model or the checkpoint has other parameters");
}
