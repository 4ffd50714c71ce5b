using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Banyan.Testing;
using Banyan.Tokenizers.ChatTemplates;

namespace Banyan.Tokenizers.Tests.ChatTemplates;

/// <summary>Chat templates against what the reference rendered: texts code point for code point, errors by their group, spans, lines.</summary>
[Trait("Category", "Golden")]
public sealed class ChatTemplateGoldenTests
{
    private static readonly JsonDocumentOptions s_deep = new() { MaxDepth = 256 };

    private static string Read(string path) => File.ReadAllText(Path.Combine(SharedFolder.Get("goldens", "templates"), path));

    private static JsonElement Document(string path) => JsonDocument.Parse(Read(path), s_deep).RootElement;

    private static readonly Lazy<JsonElement> s_micro = new(() => Document("micro.json")), s_hostile = new(() => Document("hostile.json"));

    private static JsonElement CaseOf(JsonElement cases, string id) => cases.EnumerateArray().Single(c => c.GetProperty("id").GetString() == id);

    public static IEnumerable<object[]> Models => Golden.Files("*.json", "goldens", "templates", "models").Select(f => new object[] { Path.GetFileNameWithoutExtension((string)f[0]) });

    [GoldenTheory]
    [MemberData(nameof(Models))]
    public void ModelTemplate(string name)
    {
        ChatTemplate template = ChatTemplate.Parse(Read($"models/{name}.jinja"), Options);
        JsonElement model = Document($"models/{name}.json"), conversations = Document("conversations.json");
        var failures = new List<string>();
        foreach (JsonElement render in model.GetProperty("renders").EnumerateArray())
        {
            string conversation = render.GetProperty("conversation").GetString()!;
            ChatRequest request = Request(conversations.GetProperty(conversation), render, model);
            Check($"{conversation} {request.AddGenerationPrompt} {request.ContinueFinalMessage}", () => template.Render(request), render, failures);
        }
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    private static IEnumerable<object[]> Ids(JsonElement cases) => cases.EnumerateArray().Select(c => new object[] { c.GetProperty("id").GetString()! });

    public static IEnumerable<object[]> Micros => Ids(s_micro.Value.GetProperty("cases"));

    [GoldenTheory]
    [MemberData(nameof(Micros))]
    public void Micro(string id)
    {
        JsonElement one = CaseOf(s_micro.Value.GetProperty("cases"), id);
        string source = one.GetProperty("template").GetString()!;
        var failures = new List<string>();
        Check(source, () => ChatTemplate.Parse(source, Options).Render(JsonObject.Create(s_micro.Value.GetProperty("vars"))!), one, failures);
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    public static IEnumerable<object[]> Hostiles => Ids(s_hostile.Value.GetProperty("cases"));

    [GoldenTheory]
    [MemberData(nameof(Hostiles))]
    public void Hostile(string id)
    {
        JsonElement one = CaseOf(s_hostile.Value.GetProperty("cases"), id);
        string source = one.TryGetProperty("template_file", out JsonElement file) ? Read(file.GetString()!) : one.GetProperty("template").GetString()!;
        JsonObject variables = JsonObject.Create(one.GetProperty("vars"))!;
        string? text = null;
        var clock = Stopwatch.StartNew();
        try
        {
            text = ChatTemplate.Parse(source).Render(variables).Text;
        }
        catch (ChatTemplateException e)
        {
            Assert.True(e.Line > 0 && e.Column > 0 && e.Message.Length < 1000, e.Message);
        }
        // Not the promised tenth of a second: other tests run beside this one, and the first compiles the interpreter.
        Assert.True(clock.ElapsedMilliseconds < 2000, $"took {clock.ElapsedMilliseconds} ms");
        switch (one.GetProperty("must").GetString())
        {
            case "error": Assert.Null(text); break;
            case "render": Assert.Equal(one.GetProperty("reference").GetProperty("text").GetString(), text); break;
            case "empty_or_error": Assert.True(string.IsNullOrEmpty(text), text); break;
        }
    }

    private static ChatTemplateOptions Options => new() { Clock = new FixedClock() };

    // The moment that the reference's strftime_now sees.
    private sealed class FixedClock : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2025, 3, 9, 7, 5, 4, TimeSpan.Zero);
    }

    private static ChatRequest Request(JsonElement conversation, JsonElement render, JsonElement model)
    {
        JsonNode whole = JsonNode.Parse(conversation.GetRawText(), null, s_deep)!;
        JsonArray? Take(string key)
        {
            JsonNode? node = whole[key];
            whole.AsObject().Remove(key);
            return node as JsonArray;
        }
        JsonObject variables = whole["kwargs"]?.DeepClone() as JsonObject ?? [];
        foreach (string token in (string[])["bos_token", "eos_token"])
        {
            if (model.TryGetProperty(token, out JsonElement value) && !variables.ContainsKey(token))
            {
                variables[token] = value.GetString();
            }
        }
        return new ChatRequest
        {
            Messages = Take("messages") ?? [],
            Tools = Take("tools"),
            Documents = Take("documents"),
            Variables = variables,
            AddGenerationPrompt = render.GetProperty("add_generation_prompt").GetBoolean(),
            ContinueFinalMessage = render.GetProperty("continue_final_message").GetBoolean(),
        };
    }

    private static void Check(string what, Func<RenderedChat> render, JsonElement expected, List<string> failures)
    {
        if (expected.TryGetProperty("python_repr", out _) || expected.TryGetProperty("lone_surrogate", out _))
        {
            return;
        }
        string? error = expected.TryGetProperty("error", out JsonElement e) ? e.GetString() : null;
        try
        {
            RenderedChat chat = render();
            string? problem = error is not null ? $"expected {error} ({expected.GetProperty("message")}), rendered {Quote(chat.Text)}"
                : chat.Text != expected.GetProperty("text").GetString() ? $"expected {expected.GetProperty("text")}, rendered {Quote(chat.Text)}"
                : SpanProblem(chat, expected);
            if (problem is not null)
            {
                failures.Add($"{what}\n  {problem}");
            }
        }
        catch (ChatTemplateException x)
        {
            bool line = !expected.TryGetProperty("line", out JsonElement l) || error != "TemplateSyntaxError" || l.GetInt32() == x.Line;
            if (error is null || Group(error) != (x.Kind == ChatTemplateError.Limit ? ChatTemplateError.Runtime : x.Kind) || !line)
            {
                failures.Add($"{what}\n  expected {error ?? Quote(expected.GetProperty("text").GetString()!)} {(line ? "" : "in line " + l)}, got {x.Kind}: {x.Message}");
            }
        }
    }

    private static string Quote(string text) => JsonSerializer.Serialize(text);

    private static ChatTemplateError Group(string error) => error switch
    {
        "TemplateSyntaxError" or "TemplateAssertionError" or "SyntaxError" => ChatTemplateError.Syntax,
        "SecurityError" => ChatTemplateError.Security,
        "UndefinedError" => ChatTemplateError.Undefined,
        "TemplateError" => ChatTemplateError.Raised,
        _ => ChatTemplateError.Runtime,
    };

    private static string? SpanProblem(RenderedChat chat, JsonElement expected)
    {
        if (!expected.TryGetProperty("spans_utf16", out JsonElement spans))
        {
            return null;
        }
        string wanted = spans.GetRawText().Replace(" ", "").Replace("\n", "");
        string got = "[" + string.Join(',', chat.AssistantSpans.Select(s => $"[{s.Start.Value},{s.End.Value}]")) + "]";
        return wanted == got ? null : $"expected spans {wanted}, got {got}";
    }
}
