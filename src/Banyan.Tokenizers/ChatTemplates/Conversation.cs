using System.Text.Json;
using System.Text.Json.Nodes;
using Banyan.Tokenizers.ChatTemplates.Jinja;

namespace Banyan.Tokenizers.ChatTemplates;

/// <summary>What the caller does around a template: names its variables, unites the names for reasoning, keeps the last message open.</summary>
internal sealed class Conversation
{
    private const string Tag = "CONTINUE_FINAL_MESSAGE_TAG";

    private static readonly string[] s_reasoning = ["reasoning_content", "thinking", "reasoning"];

    private readonly string _finalMessage = "";

    public Conversation(ChatRequest request, string template)
    {
        object? messages = Value(request.Messages);
        List<object?> list = ((TemplateList)messages!).Items;
        for (int i = 0; i < list.Count; i++)
        {
            list[i] = list[i] is TemplateDict message ? WithReasoning(message) : list[i];
        }
        if (request.ContinueFinalMessage)
        {
            _finalMessage = Open(list.Count > 0 ? list[^1] as TemplateDict : null, template);
        }
        Variables = new Dictionary<string, object?>(Values(request.Variables))
        {
            ["messages"] = messages,
            ["tools"] = Value(request.Tools),
            ["documents"] = Value(request.Documents),
            ["add_generation_prompt"] = request.AddGenerationPrompt,
        };
    }

    public Dictionary<string, object?> Variables { get; }

    /// <summary>JSON as values of a template.</summary>
    public static IEnumerable<KeyValuePair<string, object?>> Values(JsonObject variables) =>
        ((TemplateDict)Value(variables)!).Items.Select(i => KeyValuePair.Create((string)i.Key.Value!, i.Value));

    private static object? Value(JsonNode? node)
    {
        if (node is null)
        {
            return null;
        }
        try
        {
            // By its text: a node may hold any .NET number, JSON has one form.
            using var document = JsonDocument.Parse(node.ToJsonString());
            return PythonJson.Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Error($"the conversation is not valid: {e.Message}");
        }
    }

    private static ChatTemplateException Error(string problem) => new(ChatTemplateError.Runtime, problem);

    // Models write their reasoning under one of three names; templates look for one of two.
    private static TemplateDict WithReasoning(TemplateDict message)
    {
        object? reasoning = s_reasoning.Select(name => message.TryGet(name, out object? v) ? v : null).FirstOrDefault(v => v is not null);
        if (reasoning is null)
        {
            return message;
        }
        var united = new TemplateDict();
        if (!message.TryGet("thinking", out _))
        {
            united["thinking"] = reasoning;
        }
        foreach ((Key key, object? value) in message.Items)
        {
            united.Items[key] = value;
        }
        united["reasoning_content"] = reasoning;
        return united;
    }

    // Marks the end of the last message; returns its text.
    private static string Open(TemplateDict? last, string template)
    {
        if (last is null || !last.TryGet("content", out object? content) || content is null)
        {
            throw Error("only a last message with content can be continued");
        }
        if (!template.Contains("content", StringComparison.Ordinal))
        {
            throw Error("the template does not mention 'content', so its last message cannot be continued");
        }
        (TemplateDict holder, string key) = (last, "content");
        if (content is TemplateList blocks)
        {
            holder = blocks.Items.OfType<TemplateDict>().LastOrDefault(b => b.TryGet("text", out _)) ?? throw Error("the last message has no text to continue");
            key = "text";
        }
        holder.TryGet(key, out object? text);
        string message = text as string ?? throw Error("the last message's content is not a text");
        holder[key] = message + Tag + " ";
        return message;
    }

    /// <summary>The prompt up to the end of the last message's text.</summary>
    public string CutAtTag(string rendered)
    {
        int at = rendered.LastIndexOf(Tag, StringComparison.Ordinal);
        if (at < 0 || !rendered.Contains(PythonText.TrimStart(PythonText.TrimEnd(_finalMessage)), StringComparison.Ordinal))
        {
            throw Error("the template does not print the last message, so it cannot be continued");
        }
        // A template that trims its messages has trimmed the blank behind the tag too.
        bool trimmed = at + Tag.Length >= rendered.Length || rendered[at + Tag.Length] != ' ';
        return trimmed ? PythonText.TrimEnd(rendered[..at]) : rendered[..at];
    }
}
