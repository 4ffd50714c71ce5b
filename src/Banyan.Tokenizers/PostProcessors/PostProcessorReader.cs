using Banyan.Tokenizers.Json;

namespace Banyan.Tokenizers.PostProcessors;

/// <summary>The table of post-processors by their name in a tokenizer.json.</summary>
internal static class PostProcessorReader
{
    private static readonly Dictionary<string, Func<JsonView, PostProcessor>> s_table = new()
    {
        ["ByteLevel"] = v => new ByteLevelProcessor(v.Bool("add_prefix_space"), v.Bool("trim_offsets"), v.Bool("use_regex", true)),
    };

    public static PostProcessor Read(JsonView view)
    {
        string type = view.String("type");
        return s_table.TryGetValue(type, out Func<JsonView, PostProcessor>? create)
            ? create(view)
            : throw view.Member("type").Error($"found the post-processor \"{type}\", known are {string.Join(", ", s_table.Keys)}");
    }
}
