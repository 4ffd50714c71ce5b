using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Patterns;

namespace Banyan.Tokenizers.Normalizers;

/// <summary>The table of normalizers by their name in a tokenizer.json.</summary>
internal static class NormalizerReader
{
    private static readonly Dictionary<string, Func<JsonView, Normalizer>> s_table = new()
    {
        ["BertNormalizer"] = v => new BertNormalizer(
            v.Bool("clean_text"),
            v.Bool("handle_chinese_chars"),
            v.Has("strip_accents") ? v.Bool("strip_accents") : null,
            v.Bool("lowercase")),
        ["ByteLevel"] = _ => CharNormalizer.ByteLevel(),
        ["Lowercase"] = _ => CharNormalizer.Lowercase(),
        ["NFC"] = _ => new UnicodeForm(compatible: false, compose: true),
        ["NFD"] = _ => new UnicodeForm(compatible: false, compose: false),
        ["NFKC"] = _ => new UnicodeForm(compatible: true, compose: true),
        ["NFKD"] = _ => new UnicodeForm(compatible: true, compose: false),
        ["Nmt"] = _ => CharNormalizer.Nmt(),
        ["Precompiled"] = Precompiled.Read,
        ["Prepend"] = v => new Prepend(v.String("prepend")),
        ["Replace"] = v => new Replace(TextPattern.Read(v.Member("pattern")), v.String("content")),
        ["Strip"] = v => new Strip(v.Bool("strip_left"), v.Bool("strip_right")),
        ["StripAccents"] = _ => CharNormalizer.StripAccents(),
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
