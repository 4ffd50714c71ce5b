using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Banyan.Cli.Options;

/// <summary>Reads YAML as the tree that JSON would be: mappings, lists, texts, numbers, truth values. No types, no code.</summary>
internal static class YamlFile
{
    private const int MaxDepth = 32;

    public static JsonObject Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new UsageException($"{path}: no such file");
        }
        using FileStream file = File.OpenRead(path);
        return Read(file, path);
    }

    public static JsonObject Read(Stream stream, string path)
    {
        try
        {
            using var reader = new StreamReader(stream);
            var yaml = new YamlStream();
            yaml.Load(reader);
            return yaml.Documents.Count == 0 ? []
                : Convert(yaml.Documents[0].RootNode, path, 0) as JsonObject ?? throw new UsageException($"{path}: expected settings, name: value");
        }
        catch (YamlException e)
        {
            throw new UsageException($"{path} line {e.Start.Line}: not valid YAML: {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    /// <summary>A text as YAML reads it: number, truth value, list in brackets, or the text itself.</summary>
    public static JsonNode? Scalar(string text)
    {
        if (text.StartsWith('[') && text.EndsWith(']'))
        {
            return new JsonArray([.. text[1..^1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Scalar)]);
        }
        return text switch
        {
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),
            "null" or "~" => null,
            _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) => JsonValue.Create(whole),
            _ when IsNumber(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) => JsonValue.Create(number),
            _ => JsonValue.Create(text),
        };
    }

    private static bool IsNumber(string text) => text.Length > 0 && text.All(c => char.IsAsciiDigit(c) || c is '.' or 'e' or 'E' or '+' or '-') && text.Any(char.IsAsciiDigit);

    private static JsonNode? Convert(YamlNode node, string path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new UsageException($"{path}: nested deeper than {MaxDepth} levels");
        }
        switch (node)
        {
            case YamlMappingNode mapping:
                var o = new JsonObject();
                foreach ((YamlNode key, YamlNode value) in mapping.Children)
                {
                    o[((YamlScalarNode)key).Value ?? ""] = Convert(value, path, depth + 1);
                }
                return o;
            case YamlSequenceNode list:
                return new JsonArray([.. list.Children.Select(c => Convert(c, path, depth + 1))]);
            case YamlScalarNode scalar:
                return scalar.Style is ScalarStyle.Plain ? string.IsNullOrEmpty(scalar.Value) ? null : Scalar(scalar.Value) : JsonValue.Create(scalar.Value);
            default:
                throw new UsageException($"{path} line {node.Start.Line}: aliases are not read");
        }
    }
}
