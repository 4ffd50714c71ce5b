using System.Text.Json;

namespace Banyan.Checkpoints;

/// <summary>
/// Strict typed access to a JSON object such as <c>config.json</c>. Every error names file, key, what was found and what was expected. Which
/// keys were asked for is remembered: <see cref="UnreadKeys"/> tells what a model ignores.
/// </summary>
/// <remarks>A value of <c>null</c> counts as absent, as in Python's <c>None</c> defaults.</remarks>
public sealed class ConfigReader
{
    private readonly string _source;
    private readonly string _prefix;
    private readonly Dictionary<string, JsonElement> _values = [];
    private readonly Dictionary<string, ConfigReader> _objects = [];
    private readonly HashSet<string> _read = [];

    private ConfigReader(JsonElement element, string source, string prefix)
    {
        _source = source;
        Json = element.GetRawText();
        _prefix = prefix;
        foreach (JsonProperty property in element.EnumerateObject())
        {
            _values.Add(property.Name, property.Value);
        }
    }

    /// <summary>The object's text.</summary>
    public string Json { get; }

    /// <summary>The name that errors show: usually the file's path.</summary>
    public string Source => _source;

    /// <summary>The keys, in the order of the file.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>Reads a file that holds one JSON object.</summary>
    /// <exception cref="CheckpointException">The file is missing, no JSON object, or has a key twice.</exception>
    public static ConfigReader Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new CheckpointException(path, "no such file");
        }
        return Parse(File.ReadAllBytes(path), path);
    }

    /// <summary>Reads a text that holds one JSON object.</summary>
    /// <param name="utf8">The text. Python's bare <c>NaN</c> and <c>Infinity</c> are accepted as numbers.</param>
    /// <param name="source">The name that errors show.</param>
    public static ConfigReader Parse(ReadOnlySpan<byte> utf8, string source)
    {
        try
        {
            var options = new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false };
            using JsonDocument document = JsonDocument.Parse(PythonJson.QuoteNonFinite(utf8), options);
            CheckTexts(document.RootElement);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new ConfigReader(document.RootElement.Clone(), source, "")
                : throw new CheckpointException(source, $"holds {Describe(document.RootElement)}; expected a JSON object");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(source, $"not valid JSON: {e.Message}", e); // InvalidOperationException: half a surrogate pair
        }
    }

    // A text with half a surrogate pair throws when it is first read: it shall be here, not in the middle of a model.
    private static void CheckTexts(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String)
        {
            element.GetString();
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in element.EnumerateArray())
            {
                CheckTexts(item);
            }
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in element.EnumerateObject())
            {
                CheckTexts(property.Value);
            }
        }
    }

    /// <summary>True when the key is there and not null.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>An integer.</summary>
    /// <param name="key">The key.</param>
    /// <param name="defaultValue">Used where the key is absent; without it the key is required.</param>
    /// <param name="min">The smallest value allowed.</param>
    /// <param name="max">The largest value allowed.</param>
    public int GetInt(string key, int? defaultValue = null, int min = int.MinValue, int max = int.MaxValue) =>
        (int)GetLong(key, defaultValue, min, max);

    /// <summary>A 64-bit integer; parameters as in <see cref="GetInt"/>.</summary>
    public long GetLong(string key, long? defaultValue = null, long min = long.MinValue, long max = long.MaxValue)
    {
        string expected = "an integer" + Range(min, max, long.MinValue, long.MaxValue, int.MinValue, int.MaxValue);
        return Find(key) is not { } value ? defaultValue ?? throw Missing(key, expected)
            : TryLong(value, out long number) && number >= min && number <= max ? number
            : throw Wrong(key, value, expected);
    }

    /// <summary>A number; parameters as in <see cref="GetInt"/>. Infinite values only where <paramref name="min"/> or <paramref name="max"/> is infinite.</summary>
    public double GetDouble(string key, double? defaultValue = null, double min = double.MinValue, double max = double.MaxValue)
    {
        string expected = "a number" + Range(min, max, double.MinValue, double.MaxValue, double.NegativeInfinity, double.PositiveInfinity);
        return Find(key) is not { } value ? defaultValue ?? throw Missing(key, expected)
            : TryDouble(value, out double number) && number >= min && number <= max ? number
            : throw Wrong(key, value, expected);
    }

    /// <summary>True or false.</summary>
    public bool GetBool(string key, bool? defaultValue = null) => Find(key) is not { } value ? defaultValue ?? throw Missing(key, "true or false")
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw Wrong(key, value, "true or false");

    /// <summary>A text.</summary>
    public string GetString(string key, string? defaultValue = null) => Find(key) is not { } value ? defaultValue ?? throw Missing(key, "a text")
        : value.ValueKind == JsonValueKind.String ? Text(key, value)
        : throw Wrong(key, value, "a text");

    /// <summary>One of a few texts.</summary>
    public string GetChoice(string key, IReadOnlyCollection<string> choices, string? defaultValue = null)
    {
        string expected = "one of " + string.Join(", ", choices.Select(CheckpointException.Quote));
        if (Find(key) is not { } value)
        {
            return defaultValue ?? throw Missing(key, expected);
        }
        string? text = value.ValueKind == JsonValueKind.String ? Text(key, value) : null;
        return text is not null && choices.Contains(text) ? text : throw Wrong(key, value, expected + (text is null ? "" : NearestName.Hint(text, choices)));
    }

    /// <summary>An object of its own.</summary>
    public ConfigReader GetObject(string key)
    {
        JsonElement value = Find(key) ?? throw Missing(key, "an object");
        if (!_objects.TryGetValue(key, out ConfigReader? reader))
        {
            if (value.ValueKind != JsonValueKind.Object)
            {
                throw Wrong(key, value, "an object");
            }
            try
            {
                _objects[key] = reader = new ConfigReader(value, _source, $"{_prefix}{key}.");
            }
            catch (InvalidOperationException e)
            {
                throw new CheckpointException(_source, $"{Name(key)} has a key that is no valid text", e);
            }
        }
        return reader;
    }

    /// <summary>An object of its own, or null where the key is absent.</summary>
    public ConfigReader? GetOptionalObject(string key) => Has(key) ? GetObject(key) : null;

    /// <summary>A list of integers; a single integer counts as a list of one (<c>eos_token_id</c> comes in both forms). Empty where absent.</summary>
    public long[] GetLongs(string key) =>
        GetList(key, item => TryLong(item, out long number) ? number : throw Wrong(key, item, "a list of integers"));

    /// <summary>A list of numbers; a single number counts as a list of one. Empty where absent.</summary>
    public double[] GetDoubles(string key) =>
        GetList(key, item => TryDouble(item, out double number) ? number : throw Wrong(key, item, "a list of numbers"));

    /// <summary>A list of texts; a single text counts as a list of one. Empty where absent.</summary>
    public string[] GetStrings(string key) =>
        GetList(key, item => item.ValueKind == JsonValueKind.String ? Text(key, item) : throw Wrong(key, item, "a list of texts"));

    /// <summary>Keys that nobody asked for, those of objects as <c>object.key</c>.</summary>
    public IEnumerable<string> UnreadKeys() => Keys.Where(k => !_read.Contains(k)).Select(k => _prefix + k)
        .Concat(_objects.Values.SelectMany(o => o.UnreadKeys()));

    /// <summary>Refuses keys that nobody asked for: a misspelt one must not be ignored.</summary>
    /// <exception cref="CheckpointException">There is one; the message suggests the nearest known key.</exception>
    public void RefuseUnreadKeys()
    {
        if (UnreadKeys().FirstOrDefault() is { } unknown)
        {
            throw new CheckpointException(_source, $"unknown key {CheckpointException.Quote(unknown)}{NearestName.Hint(unknown, KnownKeys())}");
        }
    }

    private IEnumerable<string> KnownKeys() => _read.Select(k => _prefix + k).Concat(_objects.Values.SelectMany(o => o.KnownKeys()));

    private T[] GetList<T>(string key, Func<JsonElement, T> convert) => Find(key) is not { } value ? []
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(convert)] : [convert(value)];

    private JsonElement? Find(string key)
    {
        _read.Add(key);
        return _values.TryGetValue(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private static bool TryLong(JsonElement value, out long number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out number);
    }

    private static bool TryDouble(JsonElement value, out double number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number ? value.TryGetDouble(out number) : PythonJson.TryNonFinite(value, out number);
    }

    private string Text(string key, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new CheckpointException(_source, $"{Name(key)} is no valid text: {e.Message}", e);
        }
    }

    private string Name(string key) => CheckpointException.Quote(_prefix + key);

    private CheckpointException Missing(string key, string expected) => new(_source,
        $"{Name(key)} is {(_values.ContainsKey(key) ? "null" : "missing")}; expected {expected}"
        + (_values.ContainsKey(key) ? "" : NearestName.Hint(key, _values.Keys.Where(k => !_read.Contains(k)))));

    private CheckpointException Wrong(string key, JsonElement found, string expected) => new(_source, $"{Name(key)} is {Describe(found)}; expected {expected}");

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "the text " + CheckpointException.Quote(value.GetRawText().Trim('"')),
        _ => value.GetRawText() is { Length: <= 40 } text ? text : value.GetRawText()[..40] + "...",
    };

    private static string Range<T>(T min, T max, T lowest, T highest, T low, T high) where T : IComparable<T>
    {
        bool hasMin = !min.Equals(lowest) && !min.Equals(low);
        bool hasMax = !max.Equals(highest) && !max.Equals(high);
        return hasMin && hasMax ? FormattableString.Invariant($" from {min} to {max}")
            : hasMin ? FormattableString.Invariant($" of at least {min}")
            : hasMax ? FormattableString.Invariant($" of at most {max}") : "";
    }
}
