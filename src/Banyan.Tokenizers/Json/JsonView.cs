using System.Text.Json;

namespace Banyan.Tokenizers.Json;

/// <summary>
/// One value of a JSON file from outside. Every getter checks kind and range and names file and key in its error.
/// </summary>
internal readonly struct JsonView(JsonElement element, string path, string file)
{
    public JsonElement Element => element;

    public string Path => path;

    public string File => file;

    public JsonValueKind Kind => element.ValueKind;

    public bool IsNull => element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    public TokenizerFormatException Error(string problem) => new(file, path, problem);

    public JsonView Member(string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Error($"found {Describe()}, expected an object");
        }
        string key = path.Length == 0 ? name : path + "." + name;
        try
        {
            return element.TryGetProperty(name, out JsonElement value) ? new(value, key, file) : new(default, key, file);
        }
        catch (InvalidOperationException e)
        {
            throw new TokenizerFormatException(file, path, "a key is not valid Unicode", e);
        }
    }

    public bool Has(string name) => !Member(name).IsNull;

    /// <summary>The text of a required string.</summary>
    public string String(string name) => Member(name).AsString();

    /// <summary>A string, or null where the key is absent or null.</summary>
    public string? OptionalString(string name) => Member(name) is { IsNull: false } v ? v.AsString() : null;

    /// <summary>A string of exactly one code point.</summary>
    public string Character(string name)
    {
        string text = String(name);
        return Text.Runes.Count(text) == 1 ? text : throw Member(name).Error($"found \"{Shorten(text)}\", expected one character");
    }

    public bool Bool(string name) => Member(name).AsBool();

    /// <summary>A boolean, or a default where the key is absent or null.</summary>
    public bool Bool(string name, bool fallback) => Member(name) is { IsNull: false } v ? v.AsBool() : fallback;

    public int Int(string name, int min = 0, int max = int.MaxValue) => Member(name).AsInt(min, max);

    /// <summary>A length of any size: what is beyond int limits nothing.</summary>
    public int Length(string name, int min) =>
        Member(name) is { Kind: JsonValueKind.Number } v && v.Element.TryGetUInt64(out ulong value) && value > int.MaxValue ? int.MaxValue : Int(name, min);

    public JsonView Object(string name) => Member(name).Require(JsonValueKind.Object, "an object");

    public JsonView Array(string name) => Member(name).Require(JsonValueKind.Array, "an array");

    public IEnumerable<JsonView> Items()
    {
        Require(JsonValueKind.Array, "an array");
        int i = 0;
        foreach (JsonElement item in element.EnumerateArray())
        {
            yield return new(item, $"{path}[{i++}]", file);
        }
    }

    public IEnumerable<(string Name, JsonView Value)> Members()
    {
        Require(JsonValueKind.Object, "an object");
        foreach (JsonProperty p in element.EnumerateObject())
        {
            string name = NameOf(p);
            yield return (name, new(p.Value, $"{path}[\"{Shorten(name)}\"]", file));
        }
    }

    public JsonView Require(JsonValueKind kind, string expected) =>
        element.ValueKind == kind ? this : throw Error($"found {Describe()}, expected {expected}");

    public string AsString()
    {
        Require(JsonValueKind.String, "a string");
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new TokenizerFormatException(file, path, "the string is not valid Unicode", e);
        }
    }

    public bool AsBool() => element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Error($"found {Describe()}, expected true or false"),
    };

    public int AsInt(int min, int max)
    {
        Require(JsonValueKind.Number, "a whole number");
        bool whole = element.TryGetInt64(out long value) && !element.GetRawText().AsSpan().ContainsAny('.', 'e', 'E');
        return whole && value >= min && value <= max
            ? (int)value
            : throw Error($"found {Describe()}, expected a whole number from {min} to {max}");
    }

    public double AsDouble()
    {
        Require(JsonValueKind.Number, "a number");
        return element.TryGetDouble(out double value) && double.IsFinite(value)
            ? value
            : throw Error($"found {Describe()}, expected a finite number");
    }

    public string Describe() => element.ValueKind switch
    {
        JsonValueKind.Undefined => "nothing (the key is missing)",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        _ => Shorten(element.GetRawText()),
    };

    private string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException e)
        {
            throw new TokenizerFormatException(file, path, "a key is not valid Unicode", e);
        }
    }

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
