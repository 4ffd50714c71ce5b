using Banyan.Tokenizers.Json;

namespace Banyan.Tokenizers.PostProcessors;

/// <summary>The table of post-processors by their name in a tokenizer.json.</summary>
internal static class PostProcessorReader
{
    private static readonly Dictionary<string, Func<JsonView, PostProcessor>> s_table = new()
    {
        ["BertProcessing"] = v => new PairProcessor(ReadToken(v.Member("cls")), ReadToken(v.Member("sep")), roberta: null),
        ["RobertaProcessing"] = v => new PairProcessor(
            ReadToken(v.Member("cls")), ReadToken(v.Member("sep")), new(v.Bool("trim_offsets"), v.Bool("add_prefix_space"))),
        ["Sequence"] = v => new ProcessorSequence([.. v.Array("processors").Items().Select(Read)]),
        ["TemplateProcessing"] = TemplateProcessor.Read,
        ["ByteLevel"] = v => new ByteLevelProcessor(v.Bool("add_prefix_space"), v.Bool("trim_offsets"), v.Bool("use_regex", true)),
    };

    public static PostProcessor Read(JsonView view)
    {
        string type = view.String("type");
        return s_table.TryGetValue(type, out Func<JsonView, PostProcessor>? create)
            ? create(view)
            : throw view.Member("type").Error($"found the post-processor \"{type}\", known are {string.Join(", ", s_table.Keys)}");
    }

    /// <summary><c>["[SEP]", 102]</c>.</summary>
    private static (string Token, int Id) ReadToken(JsonView view)
    {
        JsonView[] parts = [.. view.Items()];
        return parts.Length == 2 ? (parts[0].AsString(), parts[1].AsInt(0, int.MaxValue - 1)) : throw view.Error("expected [token, id]");
    }
}
