using System.Numerics;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

/// <summary>The variable <c>loop</c>.</summary>
internal sealed class LoopState(List<object?> items, int depth, Func<object?, string>? recurse)
{
    private object? _lastChanged = new Undefined("");
    private bool _everChanged;

    public int Index0 { get; private set; } = -1;

    public int Length => items.Count;

    /// <summary>Items that are still to come.</summary>
    public IEnumerable<object?> Rest => items.Skip(Index0 + 1);

    public object? Current => items[Index0];

    public bool MoveNext() => ++Index0 < items.Count;

    /// <summary>Renders the loop's body for the items of a level below.</summary>
    public object? Call(Arguments arguments) => recurse is null
        ? throw Operators.Error("the loop must have the 'recursive' marker to be called recursively")
        : recurse(arguments.Bind("loop", ("reciter", Arguments.Required))[0]);

    public bool TryGet(string name, out object? value)
    {
        value = name switch
        {
            "index" => new BigInteger(Index0 + 1),
            "index0" => new BigInteger(Index0),
            "revindex" => new BigInteger(Length - Index0),
            "revindex0" => new BigInteger(Length - Index0 - 1),
            "first" => Index0 == 0,
            "last" => Index0 == Length - 1,
            "length" => new BigInteger(Length),
            "depth" => new BigInteger(depth + 1),
            "depth0" => new BigInteger(depth),
            "previtem" => Index0 > 0 ? items[Index0 - 1] : new Undefined("there is no previous item"),
            "nextitem" => Index0 + 1 < Length ? items[Index0 + 1] : new Undefined("there is no next item"),
            "cycle" => new Function("cycle", a => a.Positional.Count > 0 ? a.Positional[Index0 % a.Positional.Count] : throw Operators.Error("no items for cycling given")),
            "changed" => new Function("changed", a => Changed(new TemplateTuple([.. a.Positional]))),
            _ => this,
        };
        return !ReferenceEquals(value, this);
    }

    private object Changed(TemplateTuple values)
    {
        if (_everChanged && Operators.AreEqual(_lastChanged, values))
        {
            return false;
        }
        (_lastChanged, _everChanged) = (values, true);
        return true;
    }
}
