using Banyan.Tokenizers.Json;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>The table of normalizers by their name in a tokenizer.json.</summary>
internal static class NormalizerReader
{
    private static readonly Dictionary<string, Func<JsonView, Normalizer>> s_table = new()
    {
        ["NFC"] = _ => new UnicodeForm(compatible: false, compose: true),
        ["NFD"] = _ => new UnicodeForm(compatible: false, compose: false),
        ["NFKC"] = _ => new UnicodeForm(compatible: true, compose: true),
        ["NFKD"] = _ => new UnicodeForm(compatible: true, compose: false),
        ["Sequence"] = v => new NormalizerSequence([.. v.Array("normalizers").Items().Select(Read)]),
    };

    public static Normalizer Read(JsonView view)
    {
        string type = view.String("type");
        return s_table.TryGetValue(type, out Func<JsonView, Normalizer>? create)
            ? create(view)
            : throw view.Member("type").Error($"found the normalizer \"{type}\", known are {string.Join(", ", s_table.Keys)}");
    }
}
