using System.Globalization;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;

namespace Banyan.Cli.Options;

/// <summary>Puts <c>section.key=value</c> into a tree; refuses names that a verb does not have.</summary>
internal sealed class SettingTree
{
    private readonly JsonObject _tree;
    private readonly Verb _verb;
    private readonly HashSet<string> _known, _texts;

    public SettingTree(JsonObject tree, Verb verb)
    {
        (_tree, _verb) = (tree, verb);
        _known = [.. verb.AllSettings.Select(s => s.Name), .. verb.Arguments.Select(a => a.TrimEnd('?'))];
        _texts = [.. verb.AllSettings.Where(s => s.Kind == SettingKind.Text).Select(s => s.Name), .. verb.Arguments.Select(a => a.TrimEnd('?'))];
        foreach (string key in tree.Select(p => p.Key).ToArray())
        {
            Check(key);
        }
    }

    /// <summary>Sets a value: yes and no, numbers, lists in brackets and texts, as YAML would read them.</summary>
    public void Set(string name, params string[] values)
    {
        // Options have dashes for underscores and for the dots of sections: only known names tell which.
        string key = _known.FirstOrDefault(k => k.Replace('_', '-').Replace('.', '-') == name.Replace('_', '-').Replace('.', '-')) ?? name.Replace('-', '_');
        Check(key);
        JsonNode? value = values.Length switch
        {
            0 => JsonValue.Create(true),
            1 => Read(key, values[0]),
            _ => new JsonArray([.. values.Select(v => Read(key, v))]),
        };
        JsonObject at = _tree;
        string[] path = key.Split('.');
        foreach (string section in path[..^1])
        {
            if (at[section] is not JsonObject next)
            {
                at[section] = next = [];
            }
            at = next;
        }
        at[path[^1]] = value;
    }

    /// <summary>Lays one tree over another, section by section.</summary>
    public static void Merge(JsonObject under, JsonObject over)
    {
        foreach ((string key, JsonNode? value) in over)
        {
            if (value is JsonObject section && under[key] is JsonObject below)
            {
                Merge(below, section);
            }
            else
            {
                under[key] = value?.DeepClone();
            }
        }
    }

    private JsonNode? Read(string key, string value) => _texts.Contains(key) ? JsonValue.Create(value) : YamlFile.Scalar(value);

    private void Check(string key)
    {
        if (!_known.Contains(key) && !(_verb.TakesSections && (key.Contains('.') || _known.Any(k => k.StartsWith(key + ".", StringComparison.Ordinal)))))
        {
            throw new UsageException($"unknown setting '{key}' of banyan {_verb.Name}{NearestName.Hint(key, _known)}");
        }
    }
}
