using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>
/// Changes parameters by their gradients. Frozen parameters, and those without a gradient since the last <see cref="Module.ZeroGrad"/>, are
/// left alone. State is made at a parameter's first step and named after it, so that checkpoints can save and restore it. bfloat16 and float16
/// parameters are updated through a float32 master copy, which is part of the state.
/// </summary>
public abstract class Optimizer
{
    private const string StepKey = "step";

    private readonly ParameterGroup[] _groups;
    private readonly ParameterState[] _parameters;
    private readonly Dictionary<string, double> _numbers = [];

    /// <summary>An optimizer over groups.</summary>
    /// <exception cref="ArgumentException">A parameter, or a name, appears twice.</exception>
    protected Optimizer(IEnumerable<ParameterGroup> groups)
    {
        _groups = [.. groups];
        _parameters = [.. _groups.SelectMany(g => g.Parameters.Select(p => new ParameterState(p.Name, p.Parameter, g)))];
        HashSet<string> names = [];
        HashSet<Parameter> seen = [];
        foreach (ParameterState p in _parameters)
        {
            if (!names.Add(p.Name) || !seen.Add(p.Parameter))
            {
                throw new ArgumentException($"optimizer: '{p.Name}' is given twice; each parameter belongs to one group");
            }
        }
    }

    /// <summary>The parameter groups.</summary>
    public IReadOnlyList<ParameterGroup> Groups => _groups;

    /// <summary>Learning rate of the next step; schedules set it.</summary>
    public double LearningRate { get; set; }

    /// <summary>Steps taken.</summary>
    public long StepCount { get; private set; }

    /// <summary>True walks up the gradient instead of down. Default: false.</summary>
    public bool Maximize { get; init; }

    /// <summary>
    /// The part of each parameter that this optimizer updates, as a range of its elements in row-major order; null: all. For element-wise
    /// optimizers only (sharded training gives every process its own range).
    /// </summary>
    public Func<string, Parameter, (long Begin, long Count)>? Shard
    {
        get;
        init => field = value is null || IsElementwise ? value
            : throw new NotSupportedException($"{GetType().Name} needs whole parameters: it cannot be sharded by element ranges");
    }

    /// <summary>True when each element is updated from its own gradient and state alone.</summary>
    public virtual bool IsElementwise => true;

    /// <summary>
    /// The state tensors by parameter and name, for checkpoints (<c>model.norm.weight/exp_avg</c>). With <see cref="StateNumbers"/> they resume
    /// training to the bit.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> StateTensors =>
        _parameters.SelectMany(p => p.Tensors.Select(t => (Key: $"{p.Name}/{t.What}", t.Value))).ToDictionary(t => t.Key, t => t.Value);

    /// <summary>
    /// The state's numbers: <c>step</c>, those of the optimizer itself, and the steps of each parameter (<c>model.norm.weight/step</c>). Each
    /// survives JSON. The learning rate and other settings are the caller's to restore.
    /// </summary>
    public IReadOnlyDictionary<string, double> StateNumbers
    {
        get
        {
            var numbers = new Dictionary<string, double>(_numbers) { [StepKey] = StepCount };
            foreach (ParameterState p in _parameters)
            {
                if (p.Steps > 0)
                {
                    numbers[$"{p.Name}/{StepKey}"] = p.Steps;
                }
            }
            return numbers;
        }
    }

    /// <summary>Replaces the state by a saved one; tensors are copied.</summary>
    /// <param name="tensors">What <see cref="StateTensors"/> gave.</param>
    /// <param name="numbers">What <see cref="StateNumbers"/> gave.</param>
    /// <exception cref="InvalidDataException">An entry names a parameter that is not optimized here.</exception>
    public void LoadState(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, double> numbers)
    {
        Dictionary<string, ParameterState> byName = _parameters.ToDictionary(p => p.Name);
        Array.ForEach(_parameters, p => p.Clear());
        _numbers.Clear();
        foreach ((string key, Tensor value) in tensors)
        {
            (ParameterState p, string what) = Find(byName, key);
            p.Load(what, value);
        }
        foreach ((string key, double value) in numbers)
        {
            if (key.Contains('/'))
            {
                Find(byName, key).Parameter.Steps = (long)value;
            }
            else
            {
                _numbers[key] = value;
            }
        }
        StepCount = _numbers.Remove(StepKey, out double steps) ? (long)steps : 0;
    }

    private static (ParameterState Parameter, string What) Find(Dictionary<string, ParameterState> byName, string key)
    {
        int slash = key.LastIndexOf('/');
        return slash >= 0 && byName.TryGetValue(key[..slash], out ParameterState? p) ? (p, key[(slash + 1)..])
            : throw new InvalidDataException($"optimizer state '{key}': no parameter '{key[..Math.Max(slash, 0)]}' is optimized here; the state belongs to another model or other groups");
    }

    /// <summary>Takes a step.</summary>
    /// <param name="gradientScale">Factor on every gradient (from clipping or a loss scaler), applied without a pass of its own. Default: 1.</param>
    public void Step(double gradientScale = 1)
    {
        StepCount++;
        GradientScale = Maximize ? -gradientScale : gradientScale;
        BeginStep();
        foreach (ParameterState p in _parameters)
        {
            if (p.Parameter.IsTrainable && p.Parameter.Value.HasGrad)
            {
                p.Begin(Shard);
                p.Steps++;
                _rounded = false;
                Update(p);
                p.End(round: !_rounded);
            }
        }
    }

    private bool _rounded;    // Apply has already written the rounded parameter

    /// <summary>Every parameter, frozen ones included.</summary>
    protected IReadOnlyList<ParameterState> Parameters => _parameters;

    /// <summary>Factor on the gradients of this step; negative when maximizing.</summary>
    protected double GradientScale { get; private set; }

    /// <summary>Called before the parameters of a step.</summary>
    protected virtual void BeginStep()
    {
    }

    /// <summary>Updates <see cref="ParameterState.Weight"/> in place.</summary>
    protected abstract void Update(ParameterState p);

    /// <summary>The learning rate of a parameter's group.</summary>
    protected double RateOf(ParameterState p) => LearningRate * p.Group.LrScale;

    /// <summary>A number that the optimizer keeps between steps and saves.</summary>
    protected double GetNumber(string name, double otherwise = 0) => _numbers.GetValueOrDefault(name, otherwise);

    /// <summary>Sets a number that the optimizer keeps between steps and saves.</summary>
    protected void SetNumber(string name, double value) => _numbers[name] = value;

    private protected void Apply<U>(ParameterState p, in U rule, Tensor? a = null, Tensor? b = null, Tensor? c = null) where U : struct, IUpdateRule =>
        Apply(p, rule, p.Gradient, GradientScale, a, b, c);

    private protected void Apply<U>(ParameterState p, in U rule, Tensor gradient, double scale, Tensor? a = null, Tensor? b = null, Tensor? c = null)
        where U : struct, IUpdateRule
    {
        UpdateLoop.Run(rule, p.Weight, p.Rounded, gradient, scale, a, b, c);
        _rounded = true;
    }
}
