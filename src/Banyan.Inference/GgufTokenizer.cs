using Banyan.Checkpoints;
using Banyan.Tokenizers;

namespace Banyan.Inference;

/// <summary>The tokenizer that a GGUF file carries in its metadata.</summary>
public static class GgufTokenizer
{
    private const string Prefix = "tokenizer.ggml.";

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
        BosId = Id(metadata, "bos"), EosId = Id(metadata, "eos"), UnkId = Id(metadata, "unknown"), SepId = Id(metadata, "seperator"), PadId = Id(metadata, "padding"), MaskId = Id(metadata, "mask"),
        AddBos = Flag(metadata, "add_bos_token"), AddEos = Flag(metadata, "add_eos_token"),
        AddSpacePrefix = metadata.GetBool(Prefix + "add_space_prefix", true), RemoveExtraWhitespaces = metadata.GetBool(Prefix + "remove_extra_whitespaces", false),
        CharsMap = [.. metadata.GetLongs(Prefix + "precompiled_charsmap").Select(b => (byte)b)],
        Lowercase = metadata.GetBool(Prefix + "normalizer.lowercase", true),
        ChatTemplate = metadata.GetString("tokenizer.chat_template", "") is { Length: > 0 } template ? template : null,
    };

    /// <summary>The tokens that end a text: the end of sequence, of a turn, of a message.</summary>
    /// <param name="metadata">The metadata of the file.</param>
    public static IReadOnlyList<int> ReadEndIds(GgufMetadata metadata) => [.. new[] { "eos", "eot", "eom" }.Select(n => Id(metadata, n)).OfType<int>().Distinct()];

    private static int? Id(GgufMetadata metadata, string name) =>
        metadata.Has($"{Prefix}{name}_token_id") && metadata.GetLong($"{Prefix}{name}_token_id") is >= 0 and <= int.MaxValue and var id ? (int)id : null;

    private static bool? Flag(GgufMetadata metadata, string name) => metadata.Has(Prefix + name) ? metadata.GetBool(Prefix + name) : null;
}
