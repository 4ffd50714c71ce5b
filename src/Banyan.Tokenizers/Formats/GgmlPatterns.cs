using Banyan.Tokenizers.Patterns;

namespace Banyan.Tokenizers.Formats;

/// <summary>How a family of byte-level BPE cuts texts: the patterns one after the other, whether a whole piece that is a token is taken as it is, and whether a text begins with a token.</summary>
internal sealed record GgmlPattern(string[] Patterns, bool IgnoreMerges = false, bool AddBos = false);

/// <summary>The names of <c>tokenizer.ggml.pre</c> and what they stand for.</summary>
internal static class GgmlPatterns
{
    private const string FalconSymbols = @"[\p{P}\$\+<=>\^~\|`]+", DefaultSymbols = @"[\p{P}\$\+<=>\^~\|]+", ThreeDigits = "[0-9][0-9][0-9]";

    private const string Bloom = @" ?[^(\s|[.,!?…。，、।۔،])]+";

    private const string Deepseek3Words = @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string Tekken = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        + @"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string Bailing = @"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";

    private const string SeedCoder = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly string[] s_cjk = ["[一-龥ࠀ-一가-\uD7FF]+"], s_cjkAndKana = ["[一-龥぀-ゟ゠-ヿ]+"];

    private static readonly Dictionary<string, GgmlPattern> s_known = Build();

    /// <summary>The names.</summary>
    public static IReadOnlyCollection<string> Names => s_known.Keys;

    /// <summary>What a name stands for; null: unknown.</summary>
    public static GgmlPattern? Find(string name) => s_known.GetValueOrDefault(name);

    private static Dictionary<string, GgmlPattern> Build()
    {
        Dictionary<string, GgmlPattern> known = [];
        void Add(GgmlPattern pattern, params string[] names) => Array.ForEach(names, n => known[n] = pattern);

        Add(new([DefaultSymbols, KnownPatterns.Gpt2, @"\p{N}+", ThreeDigits]), "default");
        Add(new([KnownPatterns.Gpt2]), "gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum", "modern-bert", "roberta-bpe", "mpt", "olmo", "jais", "trillion", "granite-docling");
        Add(new([KnownPatterns.Llama3], IgnoreMerges: true, AddBos: true), "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2");
        Add(new([KnownPatterns.Llama3]), "dbrx", "smaug-bpe", "chatglm-bpe", "glm4", "exaone4");
        Add(new([KnownPatterns.Qwen2]), "qwen2", "deepseek-r1-qwen", "stablelm2", "hunyuan", "megrez");
        Add(new([KnownPatterns.Qwen35]), "qwen35");
        Add(new([@"[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", s_cjk[0], @"\p{N}+"]), "deepseek-llm");
        Add(new([@"[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", s_cjk[0], @"\p{N}"]), "deepseek-coder");
        Add(new([@"\p{N}{1,3}", s_cjkAndKana[0], Deepseek3Words]), "deepseek-v3", "hunyuan-dense");
        Add(new([FalconSymbols, KnownPatterns.Gpt2, ThreeDigits]), "falcon");
        Add(new([@"\p{N}", KnownPatterns.Gpt2]), "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b");
        Add(new([Bloom]), "bloom", "poro-chat", "gpt3-finnish");
        Add(new([Bloom, @"\p{N}"]), "viking");
        Add(new([Tekken], IgnoreMerges: true, AddBos: true), "tekken");
        Add(new([KnownPatterns.O200k]), "gpt-4o", "llama4", "kanana2");
        Add(new([Bailing]), "bailingmoe", "llada-moe");
        Add(new([SeedCoder]), "seed-coder");
        return known;
    }
}
