using Banyan.Tokenizers.Decoders;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Normalizers;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.PostProcessors;
using Banyan.Tokenizers.PreTokenizers;
using System.Text.Json;

namespace Banyan.Tokenizers.Json;

/// <summary>Reads a tokenizer.json.</summary>
internal static class TokenizerJsonReader
{
    private const string Version = "1.0";

    private static readonly string[] s_keys = ["version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"];

    public static Tokenizer Read(ReadOnlyMemory<byte> utf8, string file)
    {
        using JsonDocument document = Parse(utf8, file);
        JsonView root = new JsonView(document.RootElement, "", file).Require(JsonValueKind.Object, "an object");
        if (root.OptionalString("version") is { } version && version != Version)
        {
            throw root.Member("version").Error($"found \"{version}\", expected \"{Version}\"");
        }
        if (root.Members().FirstOrDefault(m => !s_keys.Contains(m.Name)) is { Name: { } unknown })
        {
            throw root.Member(unknown).Error($"is an unknown key, expected one of {string.Join(", ", s_keys)}");
        }
        return Read(root);
    }

    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8, string file)
    {
        try
        {
            return JsonDocument.Parse(utf8, new() { MaxDepth = 128 });
        }
        catch (JsonException e)
        {
            throw new TokenizerFormatException(file, "", $"not a JSON file: {e.Message}", e);
        }
    }

    private static Tokenizer Read(JsonView root)
    {
        TokenizerParts parts = new(ModelReader.Read(root.Member("model")), Optional(root, "normalizer", NormalizerReader.Read))
        {
            PreTokenizer = Optional(root, "pre_tokenizer", PreTokenizerReader.Read),
            PostProcessor = Optional(root, "post_processor", PostProcessorReader.Read),
            Decoder = Optional(root, "decoder", DecoderReader.Read),
        };
        if (root.Members().Any(m => m.Name == "added_tokens"))
        {
            parts.Added.Add([.. root.Array("added_tokens").Items().Select(ReadAddedToken)]);
        }
        return new(parts)
        {
            Truncation = Optional(root, "truncation", LengthsJson.ReadTruncation),
            Padding = Optional(root, "padding", LengthsJson.ReadPadding),
        };
    }

    private static T? Optional<T>(JsonView root, string key, Func<JsonView, T> read)
        where T : class =>
        root.Member(key) is { IsNull: false } view ? read(view.Require(JsonValueKind.Object, "an object or null")) : null;

    /// <summary>Ids are not read: they follow from the vocabulary and the order, as in Hugging Face's reader.</summary>
    private static AddedToken ReadAddedToken(JsonView view)
    {
        view.Int("id");
        return new(
            view.String("content"),
            view.Bool("special"),
            view.Bool("normalized"),
            view.Bool("single_word"),
            view.Bool("lstrip"),
            view.Bool("rstrip"));
    }
}
