using System.Numerics;

namespace Banyan.Tokenizers.ChatTemplates.Jinja;

// The values of a template: null (none), bool, BigInteger, double, string, and the classes of this file.

/// <summary>A value that does not exist. It prints as nothing and is false; nearly everything else is an error of the given kind.</summary>
internal sealed class Undefined(string problem, ChatTemplateError kind = ChatTemplateError.Undefined)
{
    public ChatTemplateException Error() => new(kind, problem);
}

/// <summary>A text that counts as escaped already.</summary>
internal sealed record SafeText(string Value);

/// <summary>A list.</summary>
internal sealed class TemplateList(List<object?> items)
{
    public List<object?> Items => items;
}

/// <summary>A tuple.</summary>
internal sealed class TemplateTuple(params object?[] items)
{
    public object?[] Items => items;
}

/// <summary>A group of <c>groupby</c>: a tuple of two whose parts have names.</summary>
internal sealed record Group(object? Grouper, TemplateList List);

/// <summary>A key of a dictionary: 1, 1.0 and true are one key.</summary>
internal readonly struct Key(object? value) : IEquatable<Key>
{
    public object? Value => value;

    public bool Equals(Key other) => Operators.AreEqual(value, other.Value);

    public override bool Equals(object? obj) => obj is Key key && Equals(key);

    public override int GetHashCode() => Operators.Hash(value);
}

/// <summary>A dictionary that keeps its order.</summary>
internal sealed class TemplateDict
{
    public OrderedDictionary<Key, object?> Items { get; } = [];

    public object? this[string key]
    {
        set => Items[new Key(key)] = value;
    }

    public bool TryGet(object? key, out object? value) => Items.TryGetValue(new Key(key), out value);

    public TemplateDict Copy()
    {
        var copy = new TemplateDict();
        foreach ((Key key, object? value) in Items)
        {
            copy.Items[key] = value;
        }
        return copy;
    }
}

/// <summary>What <c>keys()</c>, <c>values()</c> and <c>items()</c> of a dictionary give.</summary>
internal sealed record DictView(string Kind, TemplateDict Dict)
{
    public IEnumerable<object?> Items => Kind switch
    {
        "keys" => Dict.Items.Select(i => i.Key.Value),
        "values" => Dict.Items.Select(i => i.Value),
        _ => Dict.Items.Select(i => (object?)new TemplateTuple(i.Key.Value, i.Value)),
    };
}

/// <summary>A range of whole numbers.</summary>
internal sealed record TemplateRange(BigInteger Start, BigInteger Stop, BigInteger Step)
{
    public const int MaxItems = 100_000;

    public BigInteger Length => Step > 0
        ? Stop > Start ? (Stop - Start - 1) / Step + 1 : 0
        : Start > Stop ? (Start - Stop - 1) / -Step + 1 : 0;

    public BigInteger At(BigInteger index) => Start + index * Step;

    public IEnumerable<object?> Items
    {
        get
        {
            BigInteger length = Length;
            for (BigInteger i = 0; i < length; i++)
            {
                yield return At(i);
            }
        }
    }
}

/// <summary>What lazy filters give: items that can be gone through once.</summary>
internal sealed class Generator(IEnumerable<object?> items)
{
    private readonly IEnumerator<object?> _items = items.GetEnumerator();

    public IEnumerable<object?> Rest
    {
        get
        {
            while (_items.MoveNext())
            {
                yield return _items.Current;
            }
        }
    }
}

/// <summary>The only object whose attributes a template can set.</summary>
internal sealed class Namespace
{
    public TemplateDict Attributes { get; } = new();
}

/// <summary>Something that can be called.</summary>
internal class Function(string name, Func<Arguments, object?> body)
{
    public string Name => name;

    public object? Call(Arguments arguments) => body(arguments);
}

/// <summary>Hands out its items in turn.</summary>
internal sealed class Cycler(IReadOnlyList<object?> items)
{
    private int _at;

    public object? Current => items[_at];

    public object? Next()
    {
        object? item = Current;
        _at = (_at + 1) % items.Count;
        return item;
    }

    public object? Reset()
    {
        _at = 0;
        return null;
    }
}

/// <summary>Bytes: they print, and that is all.</summary>
internal sealed record TemplateBytes(byte[] Bytes)
{
    public override string ToString() => "b'" + string.Concat(Bytes.Select(b => b switch
    {
        (byte)'\\' => "\\\\",
        (byte)'\n' => "\\n",
        (byte)'\r' => "\\r",
        (byte)'\t' => "\\t",
        (byte)'\'' => "\\'",
        >= 32 and < 127 => ((char)b).ToString(),
        _ => $"\\x{b:x2}",
    })) + "'";
}
