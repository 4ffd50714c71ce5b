using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.PreTokenizers;

namespace Banyan.Tokenizers.Decoders;

/// <summary>The table of decoders by their name in a tokenizer.json.</summary>
internal static class DecoderReader
{
    private static readonly Dictionary<string, Func<JsonView, Decoder>> s_table = new()
    {
        ["BPEDecoder"] = v => TokenDecoder.Bpe(v.String("suffix")),
        ["ByteFallback"] = _ => new ByteFallbackDecoder(),
        ["CTC"] = v => new CtcDecoder(v.String("pad_token"), v.String("word_delimiter_token"), v.Bool("cleanup")),
        ["Fuse"] = _ => new FuseDecoder(),
        ["Metaspace"] = v => TokenDecoder.Metaspace(v.Character("replacement"), PreTokenizerReader.ReadScheme(v), v.Bool("split", true)),
        ["Replace"] = v => TokenDecoder.Replace(TextPattern.Read(v.Member("pattern")), v.String("content")),
        ["Sequence"] = v => new SequenceDecoder([.. v.Array("decoders").Items().Select(Read)]),
        ["Strip"] = v => TokenDecoder.Strip(v.Character("content"), v.Int("start"), v.Int("stop")),
        ["WordPiece"] = v => TokenDecoder.WordPiece(v.String("prefix"), v.Bool("cleanup")),
        ["ByteLevel"] = v => new ByteLevelDecoder(v.Bool("add_prefix_space"), v.Bool("trim_offsets"), v.Bool("use_regex", true)),
    };

    public static Decoder Read(JsonView view)
    {
        string type = view.String("type");
        return s_table.TryGetValue(type, out Func<JsonView, Decoder>? create)
            ? create(view)
            : throw view.Member("type").Error($"found the decoder \"{type}\", known are {string.Join(", ", s_table.Keys)}");
    }
}
