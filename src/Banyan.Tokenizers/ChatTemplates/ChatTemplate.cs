using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Banyan.Tokenizers.ChatTemplates.Jinja;

namespace Banyan.Tokenizers.ChatTemplates;

/// <summary>
/// A chat template: the Jinja text that models come with and that turns a conversation into a prompt. It renders as Hugging Face's
/// <c>apply_chat_template</c> does, in a sandbox: a template sees the values that it is given, and nothing of .NET or of the machine but the time.
/// </summary>
/// <remarks>Immutable and safe for use by many threads.</remarks>
public sealed class ChatTemplate
{
    private readonly ChatTemplateOptions _options;
    private readonly string _normalized;
    private readonly TemplateTree _tree;

    private ChatTemplate(string source, ChatTemplateOptions options)
    {
        (Source, _options, _normalized) = (source, options, Lexer.Normalize(source));
        try
        {
            _tree = Parser.Parse(_normalized, options.MaxDepth);
        }
        catch (JinjaSyntaxError e)
        {
            throw Placed(ChatTemplateError.Syntax, e.Message, e.Position);
        }
    }

    /// <summary>The Jinja text.</summary>
    public string Source { get; }

    /// <summary>Reads a template.</summary>
    /// <param name="source">The Jinja text.</param>
    /// <param name="options">Limits. Default: <see cref="ChatTemplateOptions"/>.</param>
    /// <exception cref="ChatTemplateException">The text is not a template (<see cref="ChatTemplateError.Syntax"/>).</exception>
    public static ChatTemplate Parse(string source, ChatTemplateOptions? options = null) => new(source, options ?? new ChatTemplateOptions());

    /// <summary>Renders a conversation.</summary>
    /// <exception cref="ChatTemplateException">The template refuses the conversation, is wrong, or reached a limit.</exception>
    public RenderedChat Render(ChatRequest request)
    {
        var conversation = new Conversation(request, _normalized);
        RenderedChat rendered = Run(conversation.Variables);
        return request.ContinueFinalMessage ? new RenderedChat(conversation.CutAtTag(rendered.Text), []) : rendered;
    }

    /// <summary>Renders with variables of any names, as a plain Jinja template.</summary>
    /// <exception cref="ChatTemplateException">The template is wrong or reached a limit.</exception>
    public RenderedChat Render(JsonObject variables) => Run(Conversation.Values(variables));

    private RenderedChat Run(IEnumerable<KeyValuePair<string, object?>> variables)
    {
        var interpreter = new Interpreter(_options, variables);
        try
        {
            string text = interpreter.Run(_tree);
            return new RenderedChat(text, [.. interpreter.Spans.Select(s => new Range(s.Start, s.Start + s.Length))]);
        }
        catch (ChatTemplateException e) when (e.Line == 0)
        {
            throw Placed(e.Kind, e.Problem, interpreter.Position);
        }
        catch (RegexMatchTimeoutException)
        {
            throw Placed(ChatTemplateError.Limit, "a filter takes too long", interpreter.Position);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException)
        {
            throw Placed(ChatTemplateError.Runtime, e.Message, interpreter.Position);
        }
    }

    private ChatTemplateException Placed(ChatTemplateError kind, string problem, int position)
    {
        ReadOnlySpan<char> before = _normalized.AsSpan(0, Math.Min(position, _normalized.Length));
        return new ChatTemplateException(kind, problem, before.Count('\n') + 1, before.Length - before.LastIndexOf('\n'));
    }
}
