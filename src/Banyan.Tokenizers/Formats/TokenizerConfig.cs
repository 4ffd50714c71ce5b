using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Banyan.Tokenizers.Json;
using Banyan.Tokenizers.Pipeline;

namespace Banyan.Tokenizers.Formats;

/// <summary>
/// A tokenizer_config.json: which tokens begin, end and pad a text, and the chat template. Keys that this library does not
/// know are kept and written back.
/// </summary>
internal sealed class TokenizerConfig
{
    public const string FileName = "tokenizer_config.json";

    private const string TemplateFile = "chat_template.jinja";

    /// <summary>Customary tokens of each role, for tokenizers that come without a configuration.</summary>
    private static readonly (string Key, string[] Names)[] s_customary =
    [
        ("bos_token", ["<s>", "<|begin_of_text|>", "<|startoftext|>", "<bos>", "<|bos|>"]),
        ("eos_token", ["</s>", "<|end_of_text|>", "<|endoftext|>", "<eos>", "<|eos|>"]),
        ("unk_token", ["<unk>", "[UNK]"]),
        ("pad_token", ["<pad>", "[PAD]", "<|pad|>", "<|padding|>"]),
    ];

    private readonly JsonObject _values = [];

    /// <summary>The Python class that the vocabulary was made for, which tells the pattern of old formats.</summary>
    public string? TokenizerClass => Text("tokenizer_class");

    /// <summary>The Jinja template that turns a conversation into text.</summary>
    public string? ChatTemplate
    {
        get => Text("chat_template");
        set => Set("chat_template", value);
    }

    /// <summary>Tokens with their flags, by id: <c>added_tokens_decoder</c>.</summary>
    public List<AddedToken> AddedTokens { get; private init; } = [];

    /// <summary>Reads the configuration in the folder of a file; empty where there is none.</summary>
    public static TokenizerConfig ReadBeside(string file)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        string path = Path.Combine(folder, FileName);
        TokenizerConfig config = File.Exists(path) ? Parse(TokenizerFiles.ReadAll(path), path) : new();
        string template = Path.Combine(folder, TemplateFile);
        if (config.ChatTemplate is null && File.Exists(template))
        {
            config.ChatTemplate = File.ReadAllText(template);
        }
        return config;
    }

    public static TokenizerConfig Parse(byte[] utf8, string file)
    {
        using JsonDocument document = TokenizerJsonReader.Parse(utf8, file);
        JsonView root = new JsonView(document.RootElement, "", file).Require(JsonValueKind.Object, "an object");
        TokenizerConfig config = new() { AddedTokens = ReadAddedTokens(root) };
        foreach ((string name, JsonView value) in root.Members())
        {
            config._values[name] = ReadNode(value);
        }
        foreach ((string key, _) in s_customary)
        {
            config.Set(key, ReadToken(root.Member(key)));
        }
        config.ChatTemplate = ReadTemplate(root.Member("chat_template"));
        return config;
    }

    /// <summary>The token of a role such as <c>bos_token</c>, or null.</summary>
    public string? Token(string key) => Text(key);

    public void Set(string key, string? value)
    {
        if (value is null)
        {
            _values.Remove(key);
            return;
        }
        _values[key] = value;
    }

    public bool? Flag(string key) =>
        _values.TryGetPropertyValue(key, out JsonNode? node) && node is JsonValue value && value.TryGetValue(out bool flag) ? flag : null;

    /// <summary>Fills roles that the file leaves open from the special tokens that have a customary name.</summary>
    public TokenizerConfig Completed(TokenizerParts parts)
    {
        foreach ((string key, string[] names) in s_customary)
        {
            if (!_values.ContainsKey(key) && names.FirstOrDefault(n => parts.Added.IsSpecial(n)) is { } name)
            {
                Set(key, name);
            }
        }
        return this;
    }

    public byte[] ToUtf8()
    {
        JsonObject copy = (JsonObject)_values.DeepClone();
        copy.TryAdd("tokenizer_class", "PreTrainedTokenizerFast");
        copy.TryAdd("clean_up_tokenization_spaces", false);
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            copy.WriteTo(writer);
        }
        return stream.ToArray();
    }

    private string? Text(string key) =>
        _values.TryGetPropertyValue(key, out JsonNode? node) && node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    /// <summary>A value that is kept as it is. Writing it once finds what would fail later: half a surrogate pair, a key twice.</summary>
    private static JsonNode? ReadNode(JsonView view)
    {
        try
        {
            JsonNode? node = view.IsNull ? null : JsonNode.Parse(view.Element.GetRawText());
            node?.DeepClone().ToJsonString();
            return node;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or JsonException)
        {
            throw view.Error($"cannot be read: {e.Message}");
        }
    }

    /// <summary>A token is written as its text, or as an object with <c>content</c> and flags.</summary>
    private static string? ReadToken(JsonView view) =>
        view.IsNull ? null : view.Kind == JsonValueKind.Object ? view.String("content") : view.AsString();

    /// <summary>One template, or a list of named ones of which "default" counts.</summary>
    private static string? ReadTemplate(JsonView view)
    {
        if (view.IsNull || view.Kind == JsonValueKind.String)
        {
            return view.IsNull ? null : view.AsString();
        }
        foreach (JsonView named in view.Items())
        {
            if (named.String("name") == "default")
            {
                return named.String("template");
            }
        }
        return null;
    }

    private static List<AddedToken> ReadAddedTokens(JsonView root)
    {
        if (!root.Has("added_tokens_decoder"))
        {
            return [];
        }
        SortedDictionary<int, AddedToken> tokens = [];
        foreach ((string id, JsonView value) in root.Object("added_tokens_decoder").Members())
        {
            tokens[int.TryParse(id, out int number) && number >= 0 ? number : throw value.Error("expected an id as the key")] = new(
                value.String("content"),
                value.Bool("special", false),
                value.Bool("normalized", false),
                value.Bool("single_word", false),
                value.Bool("lstrip", false),
                value.Bool("rstrip", false));
        }
        return [.. tokens.Values];
    }
}
