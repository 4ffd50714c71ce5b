using System.Text.Json;
using System.Text.Json.Nodes;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Tokenizers;
using Banyan.Tokenizers.ChatTemplates;

namespace Banyan.Cli.Verbs;

/// <summary>Shows what a model reads of a conversation.</summary>
internal sealed class TokenizerChatVerb : Verb
{
    public override string Name => "tokenizer chat";

    public override string Summary => "The prompt that a chat template makes of a conversation.";

    public override string Example => "tokenizer chat model/ --file conversation.json";

    public override IReadOnlyList<string> Arguments => ["path"];

    public override IReadOnlyList<Setting> Settings =>
    [
        new("file", "JSON: a list of messages, or an object with messages, tools, documents.", SettingKind.Text),
        new("template", "A Jinja file instead of the model's template.", SettingKind.Text),
        new("no_answer", "Without the beginning of the assistant's answer.", SettingKind.Flag), new("continue", "Leave the last message open.", SettingKind.Flag),
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        Tokenizer tokenizer = Tokenizer.Load(s.Text("path"));
        if (s.Has("template"))
        {
            tokenizer.ChatTemplate = File.ReadAllText(s.Text("template"));
        }
        if (tokenizer.ChatTemplate is null)
        {
            throw new InvalidDataException($"{s.Text("path")}: has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json); give one with --template");
        }
        ChatEncoding chat = tokenizer.EncodeChat(Request(s));
        output.Line(chat.Text);
        output.Document(new JsonObject { ["text"] = chat.Text, ["ids"] = Reporter.Ids(chat.Ids), ["assistant_mask"] = Reporter.Ids(chat.AssistantMask) });
        return 0;
    }

    private static ChatRequest Request(SettingReader s)
    {
        string path = s.Text("file");
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(File.ReadAllBytes(path), documentOptions: new JsonDocumentOptions { MaxDepth = 64 });
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: not valid JSON: {e.Message}", e);
        }
        JsonObject whole = root as JsonObject ?? new JsonObject { ["messages"] = root?.DeepClone() };
        return new ChatRequest
        {
            Messages = whole["messages"] as JsonArray ?? throw new InvalidDataException($"{path}: found no list of messages; expected [{{\"role\": ..., \"content\": ...}}] or an object with messages"),
            Tools = whole["tools"] as JsonArray,
            Documents = whole["documents"] as JsonArray,
            AddGenerationPrompt = !s.Flag("no_answer") && !s.Flag("continue"),
            ContinueFinalMessage = s.Flag("continue"),
        };
    }
}
