namespace Banyan.Nn;

/// <summary>Parameters that share a learning rate and a weight decay.</summary>
public sealed class ParameterGroup
{
    /// <summary>A group.</summary>
    public ParameterGroup(IEnumerable<(string Name, Parameter Parameter)> parameters, double weightDecay, double lrScale = 1)
    {
        Parameters = [.. parameters];
        WeightDecay = weightDecay;
        LrScale = lrScale;
    }

    /// <summary>The parameters with their paths, which name their state in checkpoints.</summary>
    public IReadOnlyList<(string Name, Parameter Parameter)> Parameters { get; }

    /// <summary>Weight decay of the group.</summary>
    public double WeightDecay { get; set; }

    /// <summary>Factor on the optimizer's learning rate. Default: 1.</summary>
    public double LrScale { get; set; }

    /// <summary>
    /// The usual two groups: tensors of two or more dimensions decay, vectors (biases, norms) do not.
    /// </summary>
    public static ParameterGroup[] DecayMatrices(Module module, double weightDecay)
    {
        var trainable = module.NamedParameters().Where(p => p.Parameter.IsTrainable).ToLookup(p => p.Parameter.Shape.Rank >= 2);
        return [new ParameterGroup(trainable[true], weightDecay), new ParameterGroup(trainable[false], 0)];
    }
}

/// <summary>
/// Changes parameters by their gradients. Parameters without a gradient since the last <see cref="Module.ZeroGrad"/> are left alone. State is
/// made at the first step and named after its parameter, so that checkpoints can save and restore it.
/// </summary>
public abstract class Optimizer
{
    private readonly Dictionary<string, Tensor> _state = [];

    /// <summary>An optimizer over groups.</summary>
    protected Optimizer(IEnumerable<ParameterGroup> groups) => Groups = [.. groups];

    /// <summary>The parameter groups.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>Learning rate of the next step; schedules set it.</summary>
    public double LearningRate { get; set; }

    /// <summary>Steps taken.</summary>
    public long StepCount { get; set; }

    /// <summary>The state tensors by name (<c>model.layers.0.mlp.up_proj.weight/exp_avg</c>), for checkpoints.</summary>
    public IReadOnlyDictionary<string, Tensor> State => _state;

    /// <summary>Restores one state tensor.</summary>
    public void LoadState(string name, Tensor value) => _state[name] = value;

    /// <summary>Takes a step.</summary>
    /// <param name="gradientScale">Factor on every gradient (from clipping or a loss scaler), applied without a pass of its own. Default: 1.</param>
    public void Step(double gradientScale = 1)
    {
        StepCount++;
        BeginStep();
        foreach (ParameterGroup group in Groups)
        {
            foreach ((string name, Parameter p) in group.Parameters)
            {
                if (p.Value.HasGrad)
                {
                    Update(name, p.Value, p.Value.Grad!, group, gradientScale);
                }
            }
        }
    }

    /// <summary>Called before the parameters of a step.</summary>
    protected virtual void BeginStep()
    {
    }

    /// <summary>Updates one parameter in place.</summary>
    protected abstract void Update(string name, Tensor weight, Tensor gradient, ParameterGroup group, double gradientScale);

    /// <summary>A state tensor of a parameter: zeros like it (or of another shape) at first.</summary>
    protected Tensor StateOf(string name, string what, Tensor like, Shape? shape = null)
    {
        // The two-level key is joined once: the dictionary is asked with the joined name from the second step on.
        string key = KeyOf(name, what);
        if (!_state.TryGetValue(key, out Tensor? t))
        {
            _state[key] = t = Tensor.Zeros(shape ?? like.Shape, like.DType);
        }
        return t;
    }

    private readonly Dictionary<(string, string), string> _keys = [];

    private string KeyOf(string name, string what)
    {
        if (!_keys.TryGetValue((name, what), out string? key))
        {
            _keys[(name, what)] = key = $"{name}/{what}";
        }
        return key;
    }
}
