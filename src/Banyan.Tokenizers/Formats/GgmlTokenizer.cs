using Banyan.Tokenizers.Decoders;
using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Models;
using Banyan.Tokenizers.Normalizers;
using Banyan.Tokenizers.Pipeline;
using Banyan.Tokenizers.PostProcessors;
using Banyan.Tokenizers.PreTokenizers;

namespace Banyan.Tokenizers.Formats;

/// <summary>The stages of a tokenizer from a vocabulary of a GGUF file. Control and user-defined tokens are cut out of a text first, as llama.cpp does.</summary>
internal static class GgmlTokenizer
{
    public static Tokenizer Create(GgmlVocabulary vocabulary, string file)
    {
        JsonView where = new(default, "tokenizer.ggml", file);
        Check(vocabulary, where);
        TokenizerParts parts = vocabulary.Model switch
        {
            "llama" => Pieces(vocabulary, SentencePieceProto.Bpe, where),
            "t5" => Pieces(vocabulary, SentencePieceProto.Unigram, where),
            "gpt2" => ByteLevel(vocabulary, where),
            "bert" => WordPieces(vocabulary, where),
            _ => throw where.Error($"the model is \"{vocabulary.Model}\"; known are llama, t5, gpt2, bert"),
        };
        parts.Added.Add([.. vocabulary.Tokens.Select((text, id) => (Text: text, Type: TypeOf(vocabulary, id)))
            .Where(t => t.Text.Length > 0 && t.Type is PieceType.Control or PieceType.UserDefined or PieceType.Unknown)
            .Select(t => new AddedToken(t.Text, Special: t.Type != PieceType.UserDefined))]);
        return new(parts) { Config = Roles(vocabulary) };
    }

    private static void Check(GgmlVocabulary vocabulary, JsonView where)
    {
        int count = vocabulary.Tokens.Count;
        string? problem = count == 0 ? "there are no tokens"
            : vocabulary.Scores.Count != 0 && vocabulary.Scores.Count != count ? $"there are {vocabulary.Scores.Count} scores for {count} tokens"
            : vocabulary.Types.Count != 0 && vocabulary.Types.Count != count ? $"there are {vocabulary.Types.Count} types for {count} tokens"
            : new[] { vocabulary.BosId, vocabulary.EosId, vocabulary.UnkId, vocabulary.SepId, vocabulary.PadId, vocabulary.MaskId, vocabulary.EotId, vocabulary.EomId }.FirstOrDefault(id => id is < 0 || id >= count) is { } id
                ? $"the special token {id} lies outside the {count} tokens"
            : null;
        if (problem is not null)
        {
            throw where.Error(problem);
        }
    }

    private static TokenizerParts Pieces(GgmlVocabulary vocabulary, int model, JsonView where)
    {
        int unknown = vocabulary.UnkId ?? vocabulary.Types.Index().Where(t => t.Item == (int)PieceType.Unknown).Select(t => t.Index).FirstOrDefault();
        // Tokens that are cut out first are no pieces; neither are second ones of the same text.
        HashSet<string> seen = [];
        SentencePiece[] pieces = [.. vocabulary.Tokens.Select((text, id) => new SentencePiece(
            seen.Add(text) ? text : $"{text}<{id}>", vocabulary.Scores.Count == 0 ? 0 : vocabulary.Scores[id], id == unknown ? PieceType.Unknown : TypeOf(vocabulary, id) switch
            {
                PieceType.Unknown or PieceType.UserDefined => PieceType.Unused,
                var type => type,
            }))];
        SentencePieceProto proto = SentencePieceProto.Of(model, pieces, pieces.Any(p => p.Type == PieceType.Byte), vocabulary.AddSpacePrefix ?? true, vocabulary.RemoveExtraWhitespaces ?? false, vocabulary.CharsMap);
        TokenizerParts parts;
        try
        {
            parts = SentencePieceReader.Build(proto, where);
        }
        catch (InvalidDataException e)
        {
            throw where.Error($"precompiled_charsmap is none: {e.Message}");
        }
        bool isLlama = model == SentencePieceProto.Bpe;
        parts.PostProcessor = Frame(vocabulary, parts, addBos: isLlama, addEos: !isLlama);
        return parts;
    }

    private static TokenizerParts ByteLevel(GgmlVocabulary vocabulary, JsonView where)
    {
        GgmlPattern pattern = GgmlPatterns.Find(vocabulary.Pre) ?? throw where.Error($"pre is \"{vocabulary.Pre}\"; known are {string.Join(", ", GgmlPatterns.Names)}");
        Vocabulary ids = Ids(vocabulary.Tokens);
        Bpe model = BpeReader.Build(new() { IgnoreMerges = pattern.IgnoreMerges }, ids, vocabulary.Merges.Select((m, i) => Merge(m, new(default, $"tokenizer.ggml.merges[{i}]", where.File))), vocabulary.Merges.Count);
        TokenizerParts parts = VocabularyAndMerges.ByteLevel(model, pattern.Patterns);
        if (Frame(vocabulary, parts, pattern.AddBos, addEos: false) is { } frame)
        {
            parts.PostProcessor = new ProcessorSequence([parts.PostProcessor!, frame]);
        }
        return parts;
    }

    // The space between lies behind the first character, which may be one.
    private static (JsonView Where, string Left, string Right) Merge(string merge, JsonView where)
    {
        int space = merge.Length > 1 ? merge.IndexOf(' ', 1) : -1;
        return space > 0 && space < merge.Length - 1 ? (where, merge[..space], merge[(space + 1)..]) : throw where.Error("expected two tokens with one space between");
    }

    private static TokenizerParts WordPieces(GgmlVocabulary vocabulary, JsonView where)
    {
        const string Continuing = "##";
        int unknown = vocabulary.UnkId ?? throw where.Error("there is no unknown_token_id, which the model bert needs");
        Vocabulary ids = Ids([.. vocabulary.Tokens.Select((text, id) => TypeOf(vocabulary, id) is PieceType.Control or PieceType.Unknown or PieceType.UserDefined or PieceType.Unused ? text
            : text.StartsWith(SentencePieceNormalizer.Visible) ? text[1..] : Continuing + text)]);
        WordPiece model = new(ids, vocabulary.Tokens[unknown], Continuing, maxChars: 100);
        TokenizerParts parts = new(model, new BertNormalizer(cleanText: true, handleChineseChars: true, stripAccents: null, vocabulary.Lowercase ?? true))
        {
            PreTokenizer = new BertPreTokenizer(),
            Decoder = TokenDecoder.WordPiece(Continuing, cleanup: true),
        };
        if (vocabulary is { BosId: { } cls, SepId: { } sep } && vocabulary.AddBos != false)
        {
            parts.PostProcessor = new PairProcessor((vocabulary.Tokens[cls], cls), (vocabulary.Tokens[sep], sep), roberta: null);
        }
        return parts;
    }

    private static Vocabulary Ids(IReadOnlyList<string> tokens)
    {
        Dictionary<string, int> ids = new(tokens.Count);
        for (int i = 0; i < tokens.Count; i++)
        {
            ids.TryAdd(tokens[i], i);
        }
        return new(ids);
    }

    private static TemplateProcessor? Frame(GgmlVocabulary vocabulary, TokenizerParts parts, bool addBos, bool addEos)
    {
        string? bos = vocabulary.AddBos ?? addBos ? TextOf(vocabulary, vocabulary.BosId) : null, eos = vocabulary.AddEos ?? addEos ? TextOf(vocabulary, vocabulary.EosId) : null;
        return bos is null && eos is null ? null : TemplateProcessor.Around(bos, eos, parts.Model.TokenToId);
    }

    private static TokenizerConfig Roles(GgmlVocabulary vocabulary)
    {
        TokenizerConfig config = new() { ChatTemplate = vocabulary.ChatTemplate };
        foreach ((string key, int? id) in new[] { ("bos_token", vocabulary.BosId), ("eos_token", vocabulary.EosId), ("unk_token", vocabulary.UnkId), ("pad_token", vocabulary.PadId), ("sep_token", vocabulary.SepId), ("mask_token", vocabulary.MaskId) })
        {
            config.Set(key, TextOf(vocabulary, id));
        }
        return config;
    }

    private static string? TextOf(GgmlVocabulary vocabulary, int? id) => id is { } i ? vocabulary.Tokens[i] : null;

    private static PieceType TypeOf(GgmlVocabulary vocabulary, int id) => vocabulary.Types.Count == 0 ? PieceType.Normal : (PieceType)vocabulary.Types[id];
}
