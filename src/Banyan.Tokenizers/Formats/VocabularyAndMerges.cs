using Banyan.Tokenizers.Decoders;
using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Normalizers;
using Banyan.Tokenizers.Patterns;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.PostProcessors;
using Banyan.Tokenizers.PreTokenizers;
using System.Text.Json;

namespace Banyan.Tokenizers.Formats;

/// <summary>
/// GPT-2's two files: a vocabulary as a JSON object and merges as lines of two tokens. Neither names the pattern: it is GPT-2's,
/// or Qwen2's where tokenizer_config.json says so.
/// </summary>
internal static class VocabularyAndMerges
{
    /// <summary>The merges that belong to a vocabulary file, or null where it is none.</summary>
    public static string? MergesBeside(string vocabulary)
    {
        string? name = Path.GetFileName(vocabulary) switch
        {
            "vocab.json" => "merges.txt",
            "encoder.json" => "vocab.bpe",
            _ => null,
        };
        string? path = name is null ? null : Path.Combine(Path.GetDirectoryName(vocabulary) ?? "", name);
        return File.Exists(path) ? path : null;
    }

    public static TokenizerParts Read(string vocabularyFile, string mergesFile, TokenizerConfig config)
    {
        using JsonDocument document = TokenizerJsonReader.Parse(TokenizerFiles.ReadAll(vocabularyFile), vocabularyFile);
        Vocabulary vocabulary = ModelReader.ReadVocabulary(new(document.RootElement, "", vocabularyFile));
        if (vocabulary.ById.FirstOrDefault(p => p.Key.Length > 4 && p.Key.EndsWith("</w>", StringComparison.Ordinal)).Key is { } suffixed)
        {
            throw new TokenizerFormatException(
                vocabularyFile, suffixed, "found a token with the end-of-word suffix </w>, expected byte-level BPE as of GPT-2; give a tokenizer.json instead");
        }
        Bpe model = ReadMerges(TokenizerFiles.ReadAll(mergesFile), mergesFile, vocabulary);
        TokenizerParts parts = config.TokenizerClass?.StartsWith("Qwen2", StringComparison.Ordinal) == true
            ? ByteLevel(model, [KnownPatterns.Qwen2], new UnicodeForm(compatible: false, compose: true))
            : ByteLevel(model, [KnownPatterns.Gpt2]);
        parts.Added.Add([.. config.AddedTokens]);
        parts.Added.Add([.. Specials(config, vocabulary).Where(t => !parts.Added.IsSpecial(t)).Select(t => new AddedToken(t, Special: true))]);
        return parts;
    }

    /// <summary>Byte-level stages around a model: the text is cut by each pattern in turn.</summary>
    public static TokenizerParts ByteLevel(Bpe model, string[] patterns, Normalizer? normalizer = null)
    {
        bool isGpt2 = patterns is [KnownPatterns.Gpt2]; // which the byte-level stage knows by itself
        ByteLevelPreTokenizer bytes = new(addPrefixSpace: false, trimOffsets: true, useRegex: isGpt2);
        return new(model, normalizer)
        {
            PreTokenizer = isGpt2
                ? bytes
                : new PreTokenizerSequence([.. patterns.Select(p => new SplitPreTokenizer(TextPattern.Regex(p), SplitBehavior.Isolated, invert: false)), bytes]),
            PostProcessor = new ByteLevelProcessor(addPrefixSpace: false, trimOffsets: false, useRegex: true),
            Decoder = new ByteLevelDecoder(),
        };
    }

    private static IEnumerable<string> Specials(TokenizerConfig config, Vocabulary vocabulary)
    {
        string?[] roles = [config.Token("bos_token"), config.Token("eos_token"), config.Token("unk_token"), config.Token("pad_token")];
        return roles.OfType<string>().Append("<|endoftext|>").Distinct().Where(t => vocabulary.IdOf(t) >= 0 || config.Token("pad_token") == t);
    }

    private static Bpe ReadMerges(byte[] utf8, string file, Vocabulary vocabulary)
    {
        string[] lines = System.Text.Encoding.UTF8.GetString(utf8).Split('\n');
        return BpeReader.Build(new(), vocabulary, Pairs(lines, file), lines.Length);
    }

    private static IEnumerable<(JsonView Where, string Left, string Right)> Pairs(string[] lines, string file)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd('\r');
            if (line.Length == 0 || (i == 0 && line.StartsWith("#version", StringComparison.Ordinal)))
            {
                continue;
            }
            JsonView where = new(default, $"line {i + 1}", file);
            string[] halves = line.Split(' ');
            yield return halves.Length == 2
                ? (where, halves[0], halves[1])
                : throw where.Error($"found {halves.Length} words, expected two tokens with one space between");
        }
    }
}
