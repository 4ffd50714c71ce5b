using System.Diagnostics.CodeAnalysis;

namespace Banyan.Checkpoints;

/// <summary>The keys and values at the beginning of a GGUF file, in the order of the file.</summary>
public sealed class GgufMetadata
{
    /// <summary>The key with the name of the architecture, which is the prefix of its hyperparameters.</summary>
    public const string ArchitectureKey = "general.architecture";

    private readonly OrderedDictionary<string, GgufValue> _values = [];

    /// <summary>Empty metadata.</summary>
    /// <param name="path">The file that errors name.</param>
    public GgufMetadata(string path) => Path = path;

    /// <summary>The file that errors name.</summary>
    public string Path { get; }

    /// <summary>The keys in the order of the file.</summary>
    public IReadOnlyList<string> Keys => _values.Keys;

    /// <summary>The value of a key. Setting adds the key at the end or replaces its value.</summary>
    /// <exception cref="CheckpointException">There is no such key.</exception>
    public GgufValue this[string key]
    {
        get => _values.TryGetValue(key, out GgufValue? value)
            ? value
            : throw new CheckpointException(Path, $"the metadata has no key {CheckpointException.Quote(key)}{NearestName.Hint(key, _values.Keys)}");
        set => _values[key] = value;
    }

    /// <summary>The architecture's name, for example <c>llama</c>.</summary>
    public string Architecture => GetString(ArchitectureKey);

    /// <summary>Adds a key; false where it is there already.</summary>
    public bool TryAdd(string key, GgufValue value) => _values.TryAdd(key, value);

    /// <summary>Finds a value.</summary>
    public bool TryGet(string key, [NotNullWhen(true)] out GgufValue? value) => _values.TryGetValue(key, out value);

    /// <summary>Whether the key is there.</summary>
    public bool Has(string key) => _values.ContainsKey(key);

    /// <summary>A text. Throws <see cref="CheckpointException"/> where it is missing and has no default, or is none.</summary>
    public string GetString(string key, string? defaultValue = null) => Get<string>(key, defaultValue, v => v as string, "a text");

    /// <summary>A whole number of any width. Throws <see cref="CheckpointException"/> where it is missing and has no default, or is none.</summary>
    public long GetLong(string key, long? defaultValue = null) => Get<long?>(key, defaultValue, Whole, "a whole number")!.Value;

    /// <summary>A number. Throws <see cref="CheckpointException"/> where it is missing and has no default, or is none.</summary>
    public double GetDouble(string key, double? defaultValue = null) =>
        Get<double?>(key, defaultValue, v => v switch { float f => f, double d => d, _ => Whole(v) }, "a number")!.Value;

    /// <summary>True or false. Throws <see cref="CheckpointException"/> where it is missing and has no default, or is none.</summary>
    public bool GetBool(string key, bool? defaultValue = null) => Get<bool?>(key, defaultValue, v => v is bool b ? b : null, "true or false")!.Value;

    /// <summary>Texts; none where the key is missing.</summary>
    public string[] GetStrings(string key) => Get<string[]>(key, [], v => v as string[], "an array of texts");

    /// <summary>Numbers; none where the key is missing.</summary>
    public float[] GetFloats(string key) => Get<float[]>(key, [], v => v as float[], "an array of float32");

    /// <summary>Whole numbers of any width; none where the key is missing.</summary>
    public long[] GetLongs(string key) => Get<long[]>(key, [], v => v is Array array and not string[] and not GgufValue[] and not float[] and not double[] and not bool[]
        ? [.. array.Cast<object>().Select(o => Whole(o)!.Value)]
        : null, "an array of whole numbers");

    private T Get<T>(string key, T? defaultValue, Func<object, T?> read, string expected)
    {
        if (defaultValue is not null && !_values.ContainsKey(key))
        {
            return defaultValue;
        }
        GgufValue value = this[key];
        return read(value.Value) ?? throw new CheckpointException(Path, $"{CheckpointException.Quote(key)} is {value} ({value.TypeName}); expected {expected}");
    }

    private static long? Whole(object value) => value switch
    {
        byte or sbyte or short or ushort or int or uint or long => Convert.ToInt64(value, null),
        ulong u and <= long.MaxValue => (long)u,
        _ => null,
    };
}
