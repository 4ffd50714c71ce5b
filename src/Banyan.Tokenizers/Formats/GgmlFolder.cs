using System.Globalization;
using System.Text.Json.Nodes;
using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Normalizers;

namespace Banyan.Tokenizers.Formats;

/// <summary>The vocabulary of a Hugging Face folder as llama.cpp's converter writes it: the SentencePiece model where there is one, else tokenizer.json.</summary>
internal sealed class GgmlFolder(string folder, string modelType, int size, IReadOnlyDictionary<string, int> configIds)
{
    private const float Added = -1000, Unused = -10000;

    private readonly JsonObject _config = ReadObject(Path.Combine(folder, TokenizerConfig.FileName)) ?? [];

    private readonly string[] _tokens = [.. Enumerable.Range(0, size).Select(i => $"[PAD{i}]")];
    private readonly float[] _scores = [.. Enumerable.Repeat(Unused, size)];
    private readonly PieceType[] _types = [.. Enumerable.Repeat(PieceType.Unused, size)];

    public GgmlVocabulary Read()
    {
        JsonObject? json = ReadObject(Path.Combine(folder, "tokenizer.json"));
        GgmlVocabulary vocabulary = Existing("spiece.model") is { } unigrams ? ReadUnigrams(unigrams)
            : Existing("sentencepiece.bpe.model") is { } shifted ? Shift(ReadUnigrams(shifted))
            : Existing("tokenizer.model") is { } pieces && !Tiktoken.LooksLike(TokenizerFiles.ReadAll(pieces)) ? ReadPieces(pieces)
            : ReadJson(json ??= (JsonObject)JsonNode.Parse(Tokenizer.Load(folder).ToJson())!);
        vocabulary = new GgmlRoles(json, _config, configIds, size).Apply(vocabulary);
        return Customs(WithTemplates(vocabulary), json);
    }

    private string? Existing(string name) => Path.Combine(folder, name) is var file && File.Exists(file) ? file : null;

    private static JsonObject? ReadObject(string file)
    {
        if (!File.Exists(file))
        {
            return null;
        }
        using var document = TokenizerJsonReader.Parse(TokenizerFiles.ReadAll(file), file);
        return document.RootElement.ValueKind == System.Text.Json.JsonValueKind.Object ? JsonObject.Create(document.RootElement.Clone()) : throw new TokenizerFormatException(file, "", "is no JSON object");
    }

    private GgmlVocabulary ReadPieces(string file)
    {
        SetPieces(SentencePieceProto.Parse(TokenizerFiles.ReadAll(file)), file);
        SetAddedTokens();
        return Made("llama") with { Scores = _scores };
    }

    private GgmlVocabulary ReadUnigrams(string file)
    {
        SentencePieceProto proto = SentencePieceProto.Parse(TokenizerFiles.ReadAll(file));
        SetPieces(proto, file);
        return Made("t5") with { Scores = _scores, AddSpacePrefix = proto.AddDummyPrefix, RemoveExtraWhitespaces = proto.RemoveExtraWhitespaces, CharsMap = proto.CharsMap };
    }

    private GgmlVocabulary Made(string model) => new() { Model = model, Tokens = _tokens, Types = [.. _types.Select(t => (int)t)] };

    private void SetPieces(SentencePieceProto proto, string file)
    {
        if (proto.Pieces.Count > size)
        {
            throw new TokenizerFormatException(file, "", $"has {proto.Pieces.Count} pieces, the embedding {size} rows");
        }
        foreach ((int id, SentencePiece piece) in proto.Pieces.Index())
        {
            Set(id, piece.Text, piece.Score, piece.Type == PieceType.UserDefined ? PieceType.Normal : piece.Type);
        }
    }

    private void Set(int id, string text, float score, PieceType type) => (_tokens[id], _scores[id], _types[id]) = (text, score, type);

    // added_tokens.json first, then what tokenizer_config.json says of the same ids.
    private void SetAddedTokens()
    {
        foreach ((string text, JsonNode? id) in ReadObject(Path.Combine(folder, "added_tokens.json")) ?? [])
        {
            if (id!.GetValue<int>() is >= 0 and var i && i < size && _types[i] == PieceType.Unused)
            {
                Set(i, text, Added, PieceType.UserDefined);
            }
        }
        foreach ((int id, JsonObject token) in Decoder())
        {
            string text = token["content"]!.GetValue<string>();
            bool special = IsTrue(token["special"]) || LooksSpecial(text);
            Set(id, special ? text : WithSpaces(text), Added, special ? PieceType.Control : PieceType.UserDefined);
        }
    }

    private IEnumerable<(int Id, JsonObject Token)> Decoder() => (_config["added_tokens_decoder"] as JsonObject ?? []).Select(p => (int.Parse(p.Key, CultureInfo.InvariantCulture), (JsonObject)p.Value!)).Where(p => p.Item1 < size);

    // Fairseq's ids: four tokens first, and everything else moved by one.
    private GgmlVocabulary Shift(GgmlVocabulary vocabulary)
    {
        static T[] Moved<T>(T[] first, IEnumerable<T> rest) => [.. first, .. rest.Skip(3).SkipLast(1)];
        return vocabulary with
        {
            Tokens = Moved(["<s>", "<pad>", "</s>", "<unk>"], vocabulary.Tokens), Scores = Moved([0f, 0f, 0f, 0f], vocabulary.Scores),
            Types = Moved([(int)PieceType.Control, (int)PieceType.Control, (int)PieceType.Control, (int)PieceType.Unknown], vocabulary.Types),
        };
    }

    private GgmlVocabulary ReadJson(JsonObject json)
    {
        JsonObject model = json["model"] as JsonObject ?? throw new TokenizerFormatException(folder, "model", "is missing");
        string type = model["type"]?.GetValue<string>() ?? "BPE";
        if (type is not ("BPE" or "WordPiece"))
        {
            throw new TokenizerFormatException(folder, "model.type", $"is {type}, which GGUF holds only from a SentencePiece file; expected BPE or WordPiece");
        }
        foreach ((string text, JsonNode? id) in (JsonObject)model["vocab"]!)
        {
            if (id!.GetValue<int>() is var i && i < size)
            {
                Set(i, text, Added, PieceType.Normal);
            }
        }
        bool fallback = IsTrue(model["byte_fallback"]);
        foreach (JsonObject token in (json["added_tokens"] as JsonArray ?? []).OfType<JsonObject>())
        {
            string text = token["content"]!.GetValue<string>();
            if (token["id"]!.GetValue<int>() is var i && i < size)
            {
                bool special = IsTrue(token["special"]) || LooksSpecial(text);
                Set(i, special ? text : WithSpaces(text), Added, special ? PieceType.Control : PieceType.UserDefined);
            }
        }
        return type == "WordPiece" ? WordPieces(json) : fallback ? Fallback() : Made("gpt2") with { Pre = GgmlPre.Find(json, modelType, folder), Merges = [.. ((JsonArray)model["merges"]!).Select(Merge)] };
    }

    private GgmlVocabulary Fallback()
    {
        for (int i = 0; i < size; i++)
        {
            _types[i] = _types[i] == PieceType.Normal && _tokens[i] is ['<', '0', 'x', _, _, '>'] ? PieceType.Byte : _types[i];
        }
        return Made("llama") with { Scores = _scores };
    }

    private GgmlVocabulary WordPieces(JsonObject json)
    {
        for (int i = 0; i < size; i++)
        {
            string text = _tokens[i];
            _tokens[i] = text is ['[', .., ']'] ? text : text.StartsWith("##", StringComparison.Ordinal) ? text[2..] : SentencePieceNormalizer.Visible + text;
        }
        return Made("bert") with { Pre = "bert-bge", Lowercase = IsTrue(json["normalizer"]?["lowercase"]) };
    }

    private static string Merge(JsonNode? merge) => merge is JsonArray pair ? string.Join(' ', pair.Select(p => p!.GetValue<string>().Replace(' ', 'Ġ'))) : merge!.GetValue<string>();

    private GgmlVocabulary WithTemplates(GgmlVocabulary vocabulary)
    {
        JsonNode? template = _config["chat_template"];
        string? single = Existing("chat_template.jinja") is { } file ? File.ReadAllText(file) : template is JsonValue value ? value.GetValue<string>() : null;
        Dictionary<string, string> named = (template as JsonArray ?? []).OfType<JsonObject>().ToDictionary(t => t["name"]!.GetValue<string>(), t => t["template"]!.GetValue<string>());
        single ??= named.GetValueOrDefault("default");
        named.Remove("default");
        return vocabulary with { ChatTemplate = single, NamedTemplates = named };
    }

    // What single architectures do otherwise.
    private GgmlVocabulary Customs(GgmlVocabulary vocabulary, JsonObject? json)
    {
        int? Id(string text) => (json?["added_tokens"] as JsonArray ?? []).FirstOrDefault(t => t!["content"]!.GetValue<string>() == text)?["id"]!.GetValue<int>();
        return modelType switch
        {
            "gemma" => vocabulary with { AddSpacePrefix = false, EotId = vocabulary.EotId ?? 107 },
            "gemma2" or "gemma3" or "gemma3_text" => vocabulary with { AddSpacePrefix = false },
            "nemotron" => vocabulary with { PadId = 0, UnkId = 1 },
            "phi" => vocabulary with { AddBos = vocabulary.AddBos ?? false },
            "glm4" => vocabulary with { EosId = vocabulary.EosId ?? Id("<|endoftext|>"), EotId = Id("<|user|>"), UnkId = vocabulary.UnkId ?? Id("<|endoftext|>"), BosId = vocabulary.BosId ?? Id("<|endoftext|>") },
            "llama" or "mistral" or "mixtral" when _config["add_prefix_space"] is { } prefix => vocabulary with { AddSpacePrefix = IsTrue(prefix) },
            _ => vocabulary,
        };
    }

    private static bool IsTrue(JsonNode? node) => node is JsonValue value && value.TryGetValue(out bool flag) && flag;

    private static string WithSpaces(string text) => text.Replace(SentencePieceNormalizer.Visible, ' ');

    private static bool LooksSpecial(string text) => text is "<pad>" or "<mask>" or "<2mass>" or "[@BOS@]" or ['<', '|', .., '|', '>'] or ['<', '｜', .., '｜', '>']
        || (text.StartsWith("<unused", StringComparison.Ordinal) && text.EndsWith('>'));
}
