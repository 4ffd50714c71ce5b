using Banyan.Tokenizers.Patterns;

namespace Banyan.Tokenizers.Formats;

/// <summary>What a <c>.tiktoken</c> file does not hold: the pattern and the special tokens with their ids.</summary>
internal sealed record TiktokenEncoding(string? Pattern, IReadOnlyList<(string Token, int Id)> SpecialTokens)
{
    private const string EndOfText = "<|endoftext|>";

    private static readonly Dictionary<string, TiktokenEncoding> s_known = new()
    {
        ["gpt2"] = new(null, [(EndOfText, 50256)]),
        ["r50k_base"] = new(null, [(EndOfText, 50256)]),
        ["p50k_base"] = new(null, [(EndOfText, 50256)]),
        ["cl100k_base"] = new(KnownPatterns.Cl100k,
            [(EndOfText, 100257), ("<|fim_prefix|>", 100258), ("<|fim_middle|>", 100259), ("<|fim_suffix|>", 100260), ("<|endofprompt|>", 100276)]),
        ["o200k_base"] = new(KnownPatterns.O200k, [(EndOfText, 199999), ("<|endofprompt|>", 200018)]),
    };

    /// <summary>The encoding of OpenAI that has the file's name; any other file is read as Llama 3's, without special tokens.</summary>
    public static TiktokenEncoding Of(string file) =>
        s_known.GetValueOrDefault(Path.GetFileNameWithoutExtension(file)) ?? new(KnownPatterns.Llama3, []);
}
