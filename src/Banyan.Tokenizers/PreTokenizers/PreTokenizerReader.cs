using Banyan.Tokenizers.Json;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>The table of pre-tokenizers by their name in a tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    private static readonly Dictionary<string, Func<JsonView, PreTokenizer>> s_table = new()
    {
        ["ByteLevel"] = v => new ByteLevelPreTokenizer(v.Bool("add_prefix_space"), v.Bool("trim_offsets"), v.Bool("use_regex", true)),
    };

    public static PreTokenizer Read(JsonView view)
    {
        string type = view.String("type");
        return s_table.TryGetValue(type, out Func<JsonView, PreTokenizer>? create)
            ? create(view)
            : throw view.Member("type").Error($"found the pre-tokenizer \"{type}\", known are {string.Join(", ", s_table.Keys)}");
    }
}
