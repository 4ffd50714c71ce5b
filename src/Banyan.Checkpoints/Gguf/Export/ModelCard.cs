using System.Text.Json.Nodes;

namespace Banyan.Checkpoints.Gguf;

/// <summary>What the header of a README.md on the hub says, under the keys of GGUF: author, licence, what it was made from, tags, languages.</summary>
internal static class ModelCard
{
    private const string Hub = "https://huggingface.co/";

    /// <summary>The keys behind <c>general.</c> that stand before the size, and those behind it.</summary>
    public static (List<(string Key, GgufValue Value)> Before, List<(string Key, GgufValue Value)> Behind) Describe(JsonObject card)
    {
        List<(string, GgufValue)> before = [], behind = [];
        AddText(before, "author", card["author"] ?? card["model_creator"] ?? card["model_author"]);
        AddText(before, "description", card["description"] ?? card["model_description"]);
        AddText(before, "quantized_by", card["quantized_by"]);
        AddText(behind, "license", card["license"]);
        AddText(behind, "license.name", card["license_name"]);
        AddText(behind, "license.link", card["license_link"]);
        AddSources(behind, "base_model", card["base_model"] ?? card["base_models"]);
        AddSources(behind, "dataset", card["datasets"] ?? card["dataset"]);
        AddTexts(behind, "tags", [.. Texts(card["tags"]), .. Texts(card["pipeline_tag"])]);
        AddTexts(behind, "languages", [.. Texts(card["language"] ?? card["languages"])]);
        return (before, behind);
    }

    private static void AddText(List<(string, GgufValue)> keys, string key, JsonNode? text)
    {
        if (Texts(text).FirstOrDefault() is { Length: > 0 } value)
        {
            keys.Add((key, GgufValue.Of(value)));
        }
    }

    private static void AddTexts(List<(string, GgufValue)> keys, string key, string[] texts)
    {
        if (texts.Length > 0)
        {
            keys.Add((key, GgufValue.Of(texts)));
        }
    }

    private static void AddSources(List<(string, GgufValue)> keys, string key, JsonNode? list)
    {
        string[] ids = [.. Texts(list).Select(t => t.StartsWith(Hub, StringComparison.Ordinal) ? t[Hub.Length..] : t)];
        if (ids.Length > 0)
        {
            keys.Add(($"{key}.count", GgufValue.Of((uint)ids.Length)));
        }
        for (int i = 0; i < ids.Length; i++)
        {
            ModelName name = ModelName.Parse(ids[i], 0);
            (string, string?)[] parts = [("name", ModelName.Title(name.Full)), ("version", name.Version), ("organization", name.Organization is { } o ? ModelName.Title(o) : null), ("repo_url", name.Organization is null ? null : Hub + ids[i])];
            keys.AddRange(parts.Where(p => p.Item2 is not null).Select(p => ($"{key}.{i}.{p.Item1}", GgufValue.Of(p.Item2!))));
        }
    }

    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        JsonArray list => list.SelectMany(Texts),
        JsonValue value => [value.ToString()],
        _ => [],
    };
}
