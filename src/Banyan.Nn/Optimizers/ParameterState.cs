namespace Banyan.Nn;

/// <summary>What an optimizer knows about one parameter: its weight in float32, its gradient, its named state tensors.</summary>
public sealed class ParameterState
{
    private readonly List<(string What, Tensor Value)> _tensors = [];
    private Tensor? _value, _plain, _grad;
    private int _version = -1;       // of the parameter's storage after our own last write; -1: never written

    internal ParameterState(string name, Parameter parameter, ParameterGroup group)
    {
        Name = name;
        Parameter = parameter;
        Group = group;
    }

    /// <summary>The parameter's path.</summary>
    public string Name { get; }

    /// <summary>The parameter.</summary>
    public Parameter Parameter { get; }

    /// <summary>Its group.</summary>
    public ParameterGroup Group { get; }

    /// <summary>Steps that this parameter has taken; within an update the current one counts. Steps without a gradient do not.</summary>
    public long Steps { get; internal set; }

    /// <summary>The weight in float32: the parameter itself, or the master copy of a bfloat16 or float16 one. A shard is flat.</summary>
    public Tensor Weight { get; private set; } = null!;

    /// <summary>The gradient, in the parameter's own type and <see cref="Weight"/>'s shape.</summary>
    public Tensor Gradient { get; private set; } = null!;

    /// <summary>The bfloat16 or float16 parameter that the master is rounded to, or null.</summary>
    internal Tensor? Rounded { get; private set; }

    internal IReadOnlyList<(string What, Tensor Value)> Tensors => _tensors;

    /// <summary>A state tensor; at first one of the given shape, type and value.</summary>
    /// <param name="what">Its name, PyTorch's where it has one (<c>exp_avg</c>).</param>
    /// <param name="shape">Default: the weight's.</param>
    /// <param name="dtype">Default: float32.</param>
    /// <param name="fill">The value at first. Default: 0.</param>
    /// <exception cref="InvalidDataException">The state that was loaded has another shape or type.</exception>
    public Tensor Get(string what, Shape? shape = null, DType? dtype = null, double fill = 0)
    {
        foreach ((string name, Tensor value) in _tensors)
        {
            if (name == what)
            {
                return Checked(what, value, shape ?? Weight.Shape, dtype ?? DType.Float32);
            }
        }
        Tensor made = Tensor.Zeros(shape ?? Weight.Shape, dtype ?? DType.Float32, Parameter.Value.Device);
        if (fill != 0)
        {
            made.Fill(fill);
        }
        _tensors.Add((what, made));
        return made;
    }

    /// <summary>True when a state tensor of this name exists.</summary>
    public bool Has(string what)
    {
        foreach ((string name, _) in _tensors)
        {
            if (name == what)
            {
                return true;
            }
        }
        return false;
    }

    private Tensor Checked(string what, Tensor value, in Shape shape, DType dtype) => value.Shape == shape && value.DType == dtype
        ? value
        : throw new InvalidDataException($"optimizer state '{Name}/{what}' is {value.DType} {value.Shape}, this parameter needs {dtype} {shape}: it was saved by another model or optimizer");

    internal void Load(string what, Tensor value)
    {
        Tensor copy = Tensor.Zeros(value.Shape, value.DType);
        copy.CopyFrom(value);
        _tensors.RemoveAll(t => t.What == what);
        _tensors.Add((what, copy));
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        _tensors.Clear();
        Steps = 0;
        _version = -1;
    }

    /// <summary>Points <see cref="Weight"/> and <see cref="Gradient"/> at the parameter as it is now.</summary>
    internal void Begin(Func<string, Parameter, (long Begin, long Count)>? shard)
    {
        BeginWeight(shard);
        Tensor grad = _value!.Grad!;
        if (_grad != grad)
        {
            _grad = grad;
            Gradient = Flat(grad, shard, "gradient of");
        }
    }

    /// <summary>Points <see cref="Weight"/> at the parameter as it is now.</summary>
    internal void BeginWeight(Func<string, Parameter, (long Begin, long Count)>? shard)
    {
        Tensor value = Parameter.Value;
        if (_value != value)
        {
            _value = value;
            _plain = Flat(value, shard, "parameter");
            Rounded = _plain.DType == DType.Float32 ? null : _plain;
        }
        Weight = Rounded is null ? _plain! : Master(Rounded);
    }

    private Tensor Master(Tensor half)
    {
        bool known = Has("master");
        Tensor master = Get("master", half.Shape);
        if (!known || (_version >= 0 && _version != half.Body.Storage!.Version))
        {
            master.CopyFrom(half);   // new, or somebody else wrote the parameter (a checkpoint, an average)
        }
        return master;
    }

    /// <summary>Rounds the master copy into the parameter, where the update has not done so itself.</summary>
    internal void End(bool round)
    {
        if (round)
        {
            Rounded?.CopyFrom(Weight);
        }
        _version = _value!.Body.Storage!.Version;
    }

    private Tensor Flat(Tensor t, Func<string, Parameter, (long Begin, long Count)>? shard, string what)
    {
        bool known = t.DType == DType.Float32 || t.DType == DType.BFloat16 || t.DType == DType.Float16;
        if (!known || !t.IsContiguous)
        {
            throw new InvalidOperationException($"{what} '{Name}' is {t}{(t.IsContiguous ? "" : ", not contiguous")}: optimizers take dense float32, bfloat16 or float16");
        }
        if (shard is null)
        {
            return t;
        }
        (long begin, long count) = shard(Name, Parameter);
        if (begin < 0 || count < 0 || begin > t.Count - count)
        {
            throw new InvalidOperationException($"shard [{begin}, {begin + count}) of '{Name}' lies outside its {t.Count} elements");
        }
        return t.AsView([count], [1], t.Body.Offset + begin);
    }
}
