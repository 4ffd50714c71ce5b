using Banyan.Cpu;

namespace Banyan.Nn;

/// <summary>
/// Changes parameters by their gradients. Frozen parameters, and those without a gradient since the last <see cref="Module.ZeroGrad"/>, are
/// left alone. State is made at a parameter's first step and named after it, so that checkpoints can save and restore it. bfloat16 and float16
/// parameters are updated through a float32 master copy, which is part of the state.
/// </summary>
public abstract class Optimizer
{
    private readonly ParameterGroup[] _groups;
    private readonly ParameterState[] _parameters;
    private readonly Dictionary<string, double> _scalars = [];

    /// <summary>An optimizer over groups.</summary>
    /// <exception cref="ArgumentException">A parameter, or a name, appears twice.</exception>
    protected Optimizer(IEnumerable<ParameterGroup> groups)
    {
        _groups = [.. groups];
        _parameters = [.. _groups.SelectMany(g => g.Parameters.Select(p => new ParameterState(p.Name, p.Parameter, g)))];
        var twice = _parameters.GroupBy(p => p.Name).FirstOrDefault(g => g.Count() > 1) ?? _parameters.GroupBy(p => p.Parameter).FirstOrDefault(g => g.Count() > 1) as IEnumerable<ParameterState>;
        if (twice is not null)
        {
            throw new ArgumentException($"optimizer: '{twice.First().Name}' is given twice; each parameter belongs to one group");
        }
    }

    /// <summary>The parameter groups.</summary>
    public IReadOnlyList<ParameterGroup> Groups => _groups;

    /// <summary>Learning rate of the next step; schedules set it.</summary>
    public double LearningRate { get; set; }

    /// <summary>Steps taken.</summary>
    public long StepCount { get; set; }

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
    /// The state by name, for checkpoints: tensors of parameters (<c>model.norm.weight/exp_avg</c>, and <c>.../step</c>) and numbers of the
    /// optimizer itself (0-d float64). Together with <see cref="StepCount"/> it resumes training to the bit.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> State
    {
        get
        {
            var state = new Dictionary<string, Tensor>();
            foreach (ParameterState p in _parameters)
            {
                if (p.Steps > 0)
                {
                    state[$"{p.Name}/step"] = Tensor.From(p.Steps).Reshape([]);
                }
                foreach ((string what, Tensor value) in p.Tensors)
                {
                    state[$"{p.Name}/{what}"] = value;
                }
            }
            foreach ((string name, double value) in _scalars)
            {
                state[name] = Tensor.Scalar(value, DType.Float64);
            }
            return state;
        }
    }

    /// <summary>Restores one entry of <see cref="State"/>, by copy.</summary>
    /// <exception cref="InvalidDataException">No parameter of this optimizer has that name.</exception>
    public void LoadState(string name, Tensor value)
    {
        int slash = name.LastIndexOf('/');
        if (slash < 0)
        {
            _scalars[name] = value.Item();
            return;
        }
        string path = name[..slash], what = name[(slash + 1)..];
        ParameterState p = Array.Find(_parameters, s => s.Name == path)
            ?? throw new InvalidDataException($"optimizer state '{name}': no parameter '{path}' is optimized here; the state belongs to another model or other groups");
        if (what == "step")
        {
            p.Steps = (long)value.Item();
            return;
        }
        p.Load(what, value);
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
                Update(p);
                p.End(round: !_rounded);
                _rounded = false;
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
    protected double GetScalar(string name, double otherwise = 0) => _scalars.GetValueOrDefault(name, otherwise);

    /// <summary>Sets a number that the optimizer keeps between steps and saves.</summary>
    protected void SetScalar(string name, double value) => _scalars[name] = value;

    private protected void Apply<U>(ParameterState p, in U rule, Tensor? a = null, Tensor? b = null, Tensor? c = null) where U : struct, IUpdateRule
    {
        UpdateLoop.Run(rule, p.Weight, p.Rounded, p.Gradient, GradientScale, a, b, c);
        _rounded = true;
    }
}
