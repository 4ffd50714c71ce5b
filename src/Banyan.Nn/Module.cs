namespace Banyan.Nn;

/// <summary>
/// A part of a model: parameters and further modules, each under the name that Hugging Face checkpoints give it. Subclasses register both in
/// their constructor and compute in a <c>Forward</c> method of their own signature.
/// </summary>
/// <example><code>
/// public sealed class Mlp : Module
/// {
///     public Mlp(int width) { Up = Add("up_proj", new Linear(width, 4 * width)); Down = Add("down_proj", new Linear(4 * width, width)); }
///     public Linear Up { get; }
///     public Linear Down { get; }
///     public Tensor Forward(Tensor x, ForwardPass pass) => Down.Forward(Up.Forward(x, pass).Silu(), pass);
/// }
/// </code></example>
public abstract class Module
{
    private readonly List<(string Name, Module Module)> _children = [];
    private readonly List<Parameter> _parameters = [];
    private Module? _parent;
    private string _name = "";
    private string? _path;

    /// <summary>The dotted path from the root, for example <c>model.layers.0.mlp</c>; empty for the root.</summary>
    public string Path => _path ??= _parent is null || _parent.Path.Length == 0 ? _name : _name.Length == 0 ? _parent.Path : $"{_parent.Path}.{_name}";

    /// <summary>The modules directly below, with their names.</summary>
    public IReadOnlyList<(string Name, Module Module)> Children => _children;

    /// <summary>Registers a module under a name and returns it. An empty name adds no step to the paths of what lies within.</summary>
    protected T Add<T>(string name, T module) where T : Module
    {
        module._parent ??= this;
        module._name = module._name.Length == 0 ? name : module._name;
        _children.Add((name, module));
        return module;
    }

    /// <summary>Registers a trainable parameter.</summary>
    protected Parameter Add(string name, in Shape shape, Initializer? initializer = null) => Add(name, shape, initializer, acceptsBlocks: false);

    private protected Parameter Add(string name, in Shape shape, Initializer? initializer, bool acceptsBlocks)
    {
        var p = new Parameter(name, shape, initializer ?? Nn.Initializer.Normal(0.02), isBuffer: false) { AcceptsBlocks = acceptsBlocks };
        _parameters.Add(p);
        return p;
    }

    /// <summary>Registers state that is saved but not trained.</summary>
    protected Parameter AddBuffer(string name, in Shape shape, Initializer initializer)
    {
        var p = new Parameter(name, shape, initializer, isBuffer: true);
        _parameters.Add(p);
        return p;
    }

    /// <summary>Every parameter and buffer once, with its path (<c>model.layers.0.mlp.up_proj.weight</c>), in the order of registration.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> NamedParameters()
    {
        var seen = new HashSet<Parameter>();
        return Walk("", seen);
    }

    /// <summary>Every trainable parameter once.</summary>
    public IEnumerable<Parameter> TrainableParameters() => NamedParameters().Select(p => p.Parameter).Where(p => p.IsTrainable);

    /// <summary>Number of weights, buffers excluded.</summary>
    public long ParameterCount => NamedParameters().Where(p => !p.Parameter.IsBuffer).Sum(p => p.Parameter.Shape.Count);

    private IEnumerable<(string, Parameter)> Walk(string prefix, HashSet<Parameter> seen)
    {
        foreach (Parameter p in _parameters)
        {
            if (seen.Add(p))
            {
                yield return (prefix + p.Name, p);
            }
        }
        foreach ((string name, Module child) in _children)
        {
            foreach ((string, Parameter) p in child.Walk(name.Length == 0 ? prefix : $"{prefix}{name}.", seen))
            {
                yield return p;
            }
        }
    }

    /// <summary>
    /// Fills every parameter by its initialiser and marks it trainable. Each draws from its own stream of random numbers, named by its path:
    /// adding a layer changes no other weight.
    /// </summary>
    public void Initialize(long seed, Device device = default)
    {
        foreach ((string name, Parameter p) in NamedParameters())
        {
            Tensor value = Tensor.Zeros(p.Shape, DType.Float32, device);
            p.Initializer.Fill(value, seed, name);
            p.Value = value;
            p.IsTrainable = !p.IsBuffer;
        }
    }

    /// <summary>Makes every parameter a buffer: for a part of an architecture that is never trained, such as a detector's backbone.</summary>
    public void Freeze()
    {
        foreach ((_, Parameter p) in NamedParameters())
        {
            p.IsBuffer = true;
        }
    }

    /// <summary>Makes the gradients count from zero again, without a pass over memory.</summary>
    public void ZeroGrad()
    {
        foreach ((_, Parameter p) in NamedParameters())
        {
            p.Value.ZeroGrad();
        }
    }
}
