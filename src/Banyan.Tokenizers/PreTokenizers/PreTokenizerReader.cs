using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Patterns;

namespace Banyan.Tokenizers.PreTokenizers;

/// <summary>The table of pre-tokenizers by their name in a tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    private static readonly Dictionary<string, Func<JsonView, PreTokenizer>> s_table = new()
    {
        ["BertPreTokenizer"] = _ => new BertPreTokenizer(),
        ["CharDelimiterSplit"] = v => CharSplit.Delimiter(v.Character("delimiter")),
        ["Digits"] = v => CharSplit.Digits(v.Bool("individual_digits")),
        ["FixedLength"] = v => new FixedLength(v.Length("length", min: 1)),
        ["Metaspace"] = ReadMetaspace,
        ["Punctuation"] = v => CharSplit.Punctuation(v.Has("behavior") ? LengthsJson.ReadEnum<SplitBehavior>(v.Member("behavior")) : SplitBehavior.Isolated),
        ["Sequence"] = v => new PreTokenizerSequence([.. v.Array("pretokenizers").Items().Select(Read)]),
        ["Split"] = v => new SplitPreTokenizer(
            TextPattern.Read(v.Member("pattern")), LengthsJson.ReadEnum<SplitBehavior>(v.Member("behavior")), v.Bool("invert")),
        ["UnicodeScripts"] = _ => new UnicodeScripts(),
        ["Whitespace"] = _ => new WhitespacePreTokenizer(),
        ["WhitespaceSplit"] = _ => CharSplit.WhitespaceSplit(),
        ["ByteLevel"] = v => new ByteLevelPreTokenizer(v.Bool("add_prefix_space"), v.Bool("trim_offsets"), v.Bool("use_regex", true)),
    };

    public static PreTokenizer Read(JsonView view)
    {
        string type = view.String("type");
        return s_table.TryGetValue(type, out Func<JsonView, PreTokenizer>? create)
            ? create(view)
            : throw view.Member("type").Error($"found the pre-tokenizer \"{type}\", known are {string.Join(", ", s_table.Keys)}");
    }

    /// <summary>Older files say add_prefix_space instead of prepend_scheme; only true has a meaning there.</summary>
    public static PrependScheme ReadScheme(JsonView view)
    {
        if (!view.Has("prepend_scheme"))
        {
            return view.Bool("add_prefix_space", true)
                ? PrependScheme.Always
                : throw view.Member("add_prefix_space").Error("found false without prepend_scheme, expected \"prepend_scheme\": \"never\"");
        }
        JsonView scheme = view.Member("prepend_scheme");
        return scheme.AsString() switch
        {
            "always" => PrependScheme.Always,
            "never" => PrependScheme.Never,
            "first" => PrependScheme.First,
            _ => throw scheme.Error($"found {scheme.Describe()}, expected always, never or first"),
        };
    }

    private static Metaspace ReadMetaspace(JsonView view)
    {
        PrependScheme scheme = ReadScheme(view);
        if (view.Has("prepend_scheme") && view.Has("add_prefix_space") && view.Bool("add_prefix_space") != (scheme != PrependScheme.Never))
        {
            throw view.Member("add_prefix_space").Error("contradicts prepend_scheme; leave one of them out");
        }
        return new(view.Character("replacement"), scheme, view.Bool("split", true));
    }
}
