using Banyan.Checkpoints;
using Banyan.Tokenizers;

namespace Banyan.Inference;

/// <summary>The tokenizer that a GGUF file carries in its metadata.</summary>
public static class GgufTokenizer
{
    private const string Prefix = "tokenizer.ggml.", Template = "tokenizer.chat_template";

    /// <summary>Reads it; null where the file has none.</summary>
    /// <param name="metadata">The metadata of the file.</param>
    /// <exception cref="CheckpointException">A key is not what it must be.</exception>
    /// <exception cref="TokenizerFormatException">The vocabulary contradicts itself, or its kind is unknown.</exception>
    public static Tokenizer? Read(GgufMetadata metadata) => ReadVocabulary(metadata) is { } vocabulary ? Tokenizer.FromGgml(vocabulary, metadata.Path) : null;

    /// <summary>Reads the vocabulary; null where the file has none.</summary>
    /// <param name="metadata">The metadata of the file.</param>
    /// <exception cref="CheckpointException">A key is not what it must be.</exception>
    public static GgmlVocabulary? ReadVocabulary(GgufMetadata metadata) => metadata.GetString(Prefix + "model", "") is "" or "none" or "no_vocab" ? null : new()
    {
        Model = metadata.GetString(Prefix + "model"),
        Pre = metadata.GetString(Prefix + "pre", "default"),
        Tokens = metadata.GetStrings(Prefix + "tokens"),
        Scores = metadata.GetFloats(Prefix + "scores"),
        Types = [.. metadata.GetLongs(Prefix + "token_type").Select(t => (int)Math.Clamp(t, 0, int.MaxValue))],
        Merges = metadata.GetStrings(Prefix + "merges"),
        BosId = Id(metadata, "bos"), EosId = Id(metadata, "eos"), EotId = Id(metadata, "eot"), EomId = Id(metadata, "eom"),
        UnkId = Id(metadata, "unknown"), SepId = Id(metadata, "seperator"), PadId = Id(metadata, "padding"), MaskId = Id(metadata, "mask"),
        AddBos = Flag(metadata, "add_bos_token"), AddEos = Flag(metadata, "add_eos_token"), AddSep = Flag(metadata, "add_sep_token"),
        AddSpacePrefix = Flag(metadata, "add_space_prefix"), RemoveExtraWhitespaces = Flag(metadata, "remove_extra_whitespaces"),
        CharsMap = [.. metadata.GetLongs(Prefix + "precompiled_charsmap").Select(b => (byte)b)],
        Lowercase = Flag(metadata, "normalizer.lowercase"),
        ChatTemplate = metadata.GetString(Template, "") is { Length: > 0 } template ? template : null,
        NamedTemplates = metadata.GetStrings(Template + "s").ToDictionary(n => n, n => metadata.GetString($"{Template}.{n}")),
    };

    /// <summary>Writes a vocabulary into metadata.</summary>
    /// <param name="metadata">Gets the keys.</param>
    /// <param name="vocabulary">The vocabulary.</param>
    public static void Write(GgufMetadata metadata, GgmlVocabulary vocabulary)
    {
        void Add(string name, GgufValue? value)
        {
            if (value is not null)
            {
                metadata[Prefix + name] = value;
            }
        }
        GgufValue? Text(bool? flag) => flag is { } f ? GgufValue.Of(f) : null;

        Add("model", GgufValue.Of(vocabulary.Model));
        Add("pre", GgufValue.Of(vocabulary.Pre));
        Add("tokens", GgufValue.Of([.. vocabulary.Tokens]));
        Add("scores", vocabulary.Scores.Count > 0 ? GgufValue.Of(vocabulary.Scores.ToArray()) : null);
        Add("token_type", vocabulary.Types.Count > 0 ? GgufValue.Of(vocabulary.Types.ToArray()) : null);
        Add("merges", vocabulary.Merges.Count > 0 ? GgufValue.Of(vocabulary.Merges.ToArray()) : null);
        Add("add_space_prefix", Text(vocabulary.AddSpacePrefix));
        Add("remove_extra_whitespaces", Text(vocabulary.RemoveExtraWhitespaces));
        Add("precompiled_charsmap", vocabulary.CharsMap.Length > 0 ? GgufValue.Of(vocabulary.CharsMap) : null);
        foreach ((string name, int? id) in new[]
        {
            ("bos", vocabulary.BosId), ("eos", vocabulary.EosId), ("unknown", vocabulary.UnkId), ("seperator", vocabulary.SepId), ("padding", vocabulary.PadId), ("mask", vocabulary.MaskId),
            ("eot", vocabulary.EotId), ("eom", vocabulary.EomId),
        })
        {
            Add(name + "_token_id", id is { } i ? GgufValue.Of((uint)i) : null);
        }
        Add("add_bos_token", Text(vocabulary.AddBos));
        Add("add_eos_token", Text(vocabulary.AddEos));
        Add("add_sep_token", Text(vocabulary.AddSep));
        Add("normalizer.lowercase", Text(vocabulary.Lowercase));
        foreach ((string name, string named) in vocabulary.NamedTemplates)
        {
            metadata[$"{Template}.{name}"] = GgufValue.Of(named);
        }
        if (vocabulary.NamedTemplates.Count > 0)
        {
            metadata[Template + "s"] = GgufValue.Of([.. vocabulary.NamedTemplates.Keys]);
        }
        if (vocabulary.ChatTemplate is { } text)
        {
            metadata[Template] = GgufValue.Of(text);
        }
    }

    /// <summary>The tokens that end a text: the end of sequence, of a turn, of a message.</summary>
    /// <param name="metadata">The metadata of the file.</param>
    public static IReadOnlyList<int> ReadEndIds(GgufMetadata metadata) => [.. new[] { "eos", "eot", "eom" }.Select(n => Id(metadata, n)).OfType<int>().Distinct()];

    private static int? Id(GgufMetadata metadata, string name) =>
        metadata.Has($"{Prefix}{name}_token_id") && metadata.GetLong($"{Prefix}{name}_token_id") is >= 0 and <= int.MaxValue and var id ? (int)id : null;

    private static bool? Flag(GgufMetadata metadata, string name) => metadata.Has(Prefix + name) ? metadata.GetBool(Prefix + name) : null;
}
