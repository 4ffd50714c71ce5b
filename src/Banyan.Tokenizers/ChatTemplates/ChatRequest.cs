using System.Text.Json.Nodes;

namespace Banyan.Tokenizers.ChatTemplates;

/// <summary>A conversation and what else a chat template may ask for.</summary>
public sealed class ChatRequest
{
    /// <summary>The messages: objects with <c>role</c> and <c>content</c> (a text, or a list of parts), and what the model's template knows beside them.</summary>
    public required JsonArray Messages { get; init; }

    /// <summary>Tools that the model may call, as JSON schemas of functions; null is none.</summary>
    public JsonArray? Tools { get; init; }

    /// <summary>Documents for retrieval: objects with <c>title</c> and <c>text</c>; null is none.</summary>
    public JsonArray? Documents { get; init; }

    /// <summary>Whether the text ends where the assistant begins to answer. Default: true.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>Whether the last message is left open, so that the model goes on with it. Default: false.</summary>
    public bool ContinueFinalMessage { get; init; }

    /// <summary>Further variables of the template, for example <c>bos_token</c> or <c>enable_thinking</c>.</summary>
    public JsonObject Variables { get; init; } = [];

    /// <summary>A conversation of plain texts.</summary>
    /// <param name="messages">Role (<c>system</c>, <c>user</c>, <c>assistant</c>) and text of each message.</param>
    public static ChatRequest Of(params ReadOnlySpan<(string Role, string Content)> messages)
    {
        var array = new JsonArray();
        foreach ((string role, string content) in messages)
        {
            array.Add((JsonNode)new JsonObject { ["role"] = role, ["content"] = content });
        }
        return new ChatRequest { Messages = array };
    }
}

/// <summary>A rendered conversation.</summary>
/// <param name="Text">The prompt.</param>
/// <param name="AssistantSpans">
/// What the assistant wrote, as ranges of <paramref name="Text"/> in UTF-16 units: only where the template marks it (<c>{% generation %}</c>).
/// </param>
public sealed record RenderedChat(string Text, IReadOnlyList<Range> AssistantSpans);
