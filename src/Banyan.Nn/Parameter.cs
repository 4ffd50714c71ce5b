namespace Banyan.Nn;

/// <summary>
/// A weight of a module. A new module holds shapes only; <see cref="Module.Initialize"/> or a checkpoint gives the numbers, so that a model
/// larger than memory can be planned, and a loaded one is never filled with random numbers first.
/// </summary>
public sealed class Parameter
{
    private Tensor? _value;

    internal Parameter(string name, in Shape shape, Initializer initializer, bool isBuffer)
    {
        Name = name;
        Shape = shape;
        Initializer = initializer;
        IsBuffer = isBuffer;
    }

    /// <summary>The name within its module, for example <c>weight</c>.</summary>
    public string Name { get; }

    /// <summary>Its shape.</summary>
    public Shape Shape { get; }

    /// <summary>How <see cref="Module.Initialize"/> fills it.</summary>
    public Initializer Initializer { get; set; }

    /// <summary>True for state that is saved but not trained (running statistics, and what <see cref="Module.Freeze"/> froze).</summary>
    public bool IsBuffer { get; internal set; }

    /// <summary>True where its module reads it by operations that know weights in blocks (<see cref="DTypeKind.Blocks"/>): linear layers and embedding tables.</summary>
    public bool AcceptsBlocks { get; internal init; }

    /// <summary>True once it has numbers.</summary>
    public bool HasValue => _value is not null;

    /// <summary>The numbers.</summary>
    /// <exception cref="InvalidOperationException">Read before the module was initialised or loaded; or set with another shape.</exception>
    public Tensor Value
    {
        get => _value ?? throw new InvalidOperationException($"parameter '{Name}' {Shape} has no values yet: call Initialize(seed) or load a checkpoint");
        set
        {
            if (value.Shape != Shape)
            {
                throw new InvalidOperationException($"parameter '{Name}' is {Shape}; the value given is {value.Shape}");
            }
            _value = value;
        }
    }

    /// <summary>True when training changes it. Freezing costs nothing in the forward pass and saves the gradient.</summary>
    public bool IsTrainable
    {
        get => !IsBuffer && Value.RequiresGrad;
        set => Value.RequiresGrad = value;
    }

    /// <summary>The gradient of the last backward passes, or null.</summary>
    public Tensor? Grad => _value?.Grad;

    /// <summary>A parameter is used where a tensor is expected.</summary>
    public static implicit operator Tensor(Parameter p) => p.Value;
}
