using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Banyan.Cli.Output;

/// <summary>Messages of a chat and the answers that are written as they come.</summary>
internal sealed class Conversation(IChatClient client, Reporter output)
{
    private readonly List<ChatMessage> _messages = [];
    private CancellationTokenSource? _answering;
    private double _seconds;

    /// <summary>How answers are drawn.</summary>
    public required ChatOptions Options { get; set; }

    /// <summary>Tokens of all answers.</summary>
    public int Tokens { get; private set; }

    /// <summary>Their rate, behind the first of each.</summary>
    public double TokensPerSecond => _seconds > 0 ? Tokens / _seconds : double.NaN;

    /// <summary>Sets or removes the system message.</summary>
    public void System(string? text)
    {
        _messages.RemoveAll(m => m.Role == ChatRole.System);
        if (text is not null)
        {
            _messages.Insert(0, new ChatMessage(ChatRole.System, text));
        }
    }

    /// <summary>Begins anew.</summary>
    public void Clear() => _messages.RemoveAll(m => m.Role != ChatRole.System);

    /// <summary>Forgets the last question and its answer.</summary>
    public string? Undo()
    {
        int at = _messages.FindLastIndex(m => m.Role == ChatRole.User);
        string? said = at < 0 ? null : _messages[at].Text;
        if (at >= 0)
        {
            _messages.RemoveRange(at, _messages.Count - at);
        }
        return said;
    }

    /// <summary>Answers the last question again, with other draws.</summary>
    public bool Again()
    {
        Options.Seed++;
        return Undo() is not { } said || Say(said);
    }

    /// <summary>Changes an option: <c>temperature=0.5</c>. Gives what to tell the user.</summary>
    public string Set(string setting)
    {
        string[] parts = setting.Split('=', 2, StringSplitOptions.TrimEntries);
        if (parts.Length != 2 || !double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
        {
            return "expected /set NAME=VALUE, for example /set temperature=0.5";
        }
        switch (parts[0])
        {
            case "temperature" when value >= 0:
                Options.Temperature = (float)value;
                break;
            case "top_p" when value is > 0 and <= 1:
                Options.TopP = (float)value;
                break;
            case "top_k" when value >= 0:
                Options.TopK = (int)value;
                break;
            case "max_new_tokens" when value >= 1:
                Options.MaxOutputTokens = (int)value;
                break;
            default:
                return $"{setting}: expected temperature (from 0), top_p (above 0, up to 1), top_k (from 0) or max_new_tokens (from 1)";
        }
        return $"{parts[0]} is {parts[1]}";
    }

    /// <summary>Says something and writes the answer. True: the conversation goes on.</summary>
    public bool Say(string text)
    {
        _messages.Add(new ChatMessage(ChatRole.User, text));
        using var stop = new CancellationTokenSource();
        _answering = stop;
        var answer = new global::System.Text.StringBuilder();
        try
        {
            Answer(answer, stop.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            output.Line();
            output.Note("(stopped)");
        }
        finally
        {
            _answering = null;
        }
        _messages.Add(new ChatMessage(ChatRole.Assistant, answer.ToString()));
        return true;
    }

    /// <summary>Stops the answer that is being written. False: there is none.</summary>
    public bool Stop()
    {
        CancellationTokenSource? answering = _answering;
        answering?.Cancel();
        return answering is not null;
    }

    public JsonArray ToJson() => [.. _messages.Select(m => (JsonNode)new JsonObject { ["role"] = m.Role.Value, ["content"] = m.Text })];

    private async Task Answer(global::System.Text.StringBuilder answer, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        (double first, int tokens) = (0, 0);
        await foreach (ChatResponseUpdate part in client.GetStreamingResponseAsync(_messages, Options, stop).ConfigureAwait(false))
        {
            first = tokens++ == 0 ? clock.Elapsed.TotalSeconds : first;
            answer.Append(part.Text);
            await output.Out.WriteAsync(part.Text).ConfigureAwait(false);
            await output.Out.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        output.Line();
        double rest = clock.Elapsed.TotalSeconds - first;
        (Tokens, _seconds) = (Tokens + Math.Max(0, tokens - 1), _seconds + rest);
        output.Note(FormattableString.Invariant($"({tokens} tokens, {(tokens - 1) / Math.Max(rest, 1e-9):F1} tokens/s, the first after {first:F2} s)"));
    }
}
