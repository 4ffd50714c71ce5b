using System.Text.Json.Nodes;

namespace Banyan.Checkpoints.Gguf;

/// <summary>One hyperparameter: how it is written into GGUF metadata from a <c>config.json</c>, and read back.</summary>
/// <param name="Name">The key in GGUF, without the architecture's name before it.</param>
/// <param name="Write">The value for a configuration; null: the key is not written.</param>
/// <param name="Read">Puts what the value means into a configuration.</param>
internal sealed record GgufKey(string Name, Func<ConfigReader, GgufValue?> Write, Action<JsonObject, GgufMetadata, string> Read)
{
    /// <summary>A whole number of the same meaning on both sides, written where the configuration has it.</summary>
    public static GgufKey Int(string name, string hf, int? defaultValue = null) => new(name,
        c => c.Has(hf) ? GgufValue.Of((uint)c.GetInt(hf, min: 0)) : defaultValue is { } d ? GgufValue.Of((uint)d) : null, (json, m, key) => json[hf] = m.GetLong(key));

    /// <summary>A number of the same meaning on both sides.</summary>
    public static GgufKey Float(string name, string hf, double? defaultValue = null) => new(name,
        c => c.Has(hf) ? GgufValue.Of((float)c.GetDouble(hf)) : defaultValue is { } d ? GgufValue.Of((float)d) : null, (json, m, key) => json[hf] = Shortest(m.GetDouble(key)));

    /// <summary>True or false.</summary>
    public static GgufKey Bool(string name, string hf, bool? defaultValue = null) => new(name,
        c => c.Has(hf) || defaultValue is not null ? GgufValue.Of(c.GetBool(hf, defaultValue)) : null, (json, m, key) => json[hf] = m.GetBool(key));

    /// <summary>A value that follows from others: written, and not needed when reading.</summary>
    public static GgufKey Derived(string name, Func<ConfigReader, GgufValue?> write) => new(name, write, (_, _, _) => { });

    /// <summary>A float32 from a file as the decimal number that was meant: 1e-5 and not 9.99999974737875E-06.</summary>
    public static double Shortest(double value) => double.Parse(((float)value).ToString("R", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture);
}
