using Banyan.Tokenizers.Json;

namespace Banyan.Tokenizers.Decoders;

/// <summary>The table of decoders by their name in a tokenizer.json.</summary>
internal static class DecoderReader
{
    private static readonly Dictionary<string, Func<JsonView, Decoder>> s_table = new()
    {
        ["ByteLevel"] = v => new ByteLevelDecoder(v.Bool("add_prefix_space", true), v.Bool("trim_offsets", true), v.Bool("use_regex", true)),
    };

    public static Decoder Read(JsonView view)
    {
        string type = view.String("type");
        return s_table.TryGetValue(type, out Func<JsonView, Decoder>? create)
            ? create(view)
            : throw view.Member("type").Error($"found the decoder \"{type}\", known are {string.Join(", ", s_table.Keys)}");
    }
}
