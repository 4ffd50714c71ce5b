using System.Diagnostics;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Inference;
using Microsoft.Extensions.AI;

namespace Banyan.Cli.Verbs;

/// <summary>A conversation in the terminal.</summary>
internal sealed class ChatVerb : Verb
{
    private static readonly string[] s_commands = ["/help", "/system", "/clear", "/undo", "/again", "/set", "/save", "/quit"];

    public override string Name => "chat";

    public override string Summary => "Talks with a model: line editing, history, /commands; Ctrl-C stops an answer, /quit ends.";

    public override string Example => "chat qwen-q4_k_m.gguf --system \"Answer in one sentence.\"";

    public override IReadOnlyList<string> Arguments => ["model"];

    public override IReadOnlyList<Setting> Settings =>
    [
        new("system", "The system message.", SettingKind.Text), new("max_new_tokens", "The most tokens of an answer (1024)."), new("temperature", "Below 1 more certain, above 1 more varied; 0: the most probable token (0.8)."),
        new("top_p", "Only the most probable tokens up to this probability (0.95)."), new("top_k", "Only the k most probable tokens; 0 is off (0)."), .. SettingReader.ModelSettings,
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        using ComputePool? pool = s.Threads > 0 ? new ComputePool(s.Threads) : null;
        var clock = Stopwatch.StartNew();
        using var client = new LanguageModelChatClient(s.LanguageModel(s.Text("model")), pool);
        var talk = new Conversation(client, output)
        {
            Options = new ChatOptions
            {
                MaxOutputTokens = s.Int("max_new_tokens", 1024, 1), Temperature = (float)s.Number("temperature", 0.8, 0), TopP = (float)s.Number("top_p", 0.95), TopK = s.Int("top_k", 0, 0), Seed = s.Seed,
            },
        };
        talk.System(s.OptionalText("system"));
        output.Note(FormattableString.Invariant($"loaded in {clock.Elapsed.TotalSeconds:F1} s; /help names the commands"));
        var lines = new LineInput();
        // The first Ctrl-C would end the program, were this handler not the last.
        Console.CancelKeyPress += (_, e) => e.Cancel = talk.Stop() || e.Cancel;
        while (lines.Read("> ") is { } line)
        {
            if (line.Length > 0 && !(line[0] == '/' ? Command(talk, line, output) : talk.Say(line)))
            {
                break;
            }
        }
        output.Document(new JsonObject { ["messages"] = talk.ToJson(), ["tokens"] = talk.Tokens, ["tokens_per_s"] = Reporter.Number(talk.TokensPerSecond) });
        return 0;
    }

    // False ends the conversation.
    private static bool Command(Conversation talk, string line, Reporter output)
    {
        (string command, string rest) = line.IndexOf(' ', StringComparison.Ordinal) is > 0 and int at ? (line[..at], line[(at + 1)..].Trim()) : (line, "");
        switch (command)
        {
            case "/quit":
                return false;
            case "/clear":
                talk.Clear();
                return true;
            case "/undo":
                talk.Undo();
                return true;
            case "/again":
                return talk.Again();
            case "/system":
                talk.System(rest.Length > 0 ? rest : null);
                return true;
            case "/set":
                output.Note(talk.Set(rest));
                return true;
            case "/save":
                output.Note(Save(talk, rest));
                return true;
            case "/help":
                output.Note("/system TEXT  what the model is told first\n/clear  begin anew\n/undo  forget the last question and its answer\n/again  another answer to the last question\n"
                    + "/set temperature|top_p|top_k|max_new_tokens=VALUE\n/save FILE  the conversation as JSON\n/quit");
                return true;
            default:
                output.Note($"{command} is no command; expected one of {string.Join(", ", s_commands)}{NearestName.Hint(command, s_commands)}");
                return true;
        }
    }

    private static string Save(Conversation talk, string path)
    {
        if (path.Length == 0)
        {
            return "/save needs the name of a file";
        }
        try
        {
            AtomicFile.WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(talk.ToJson().ToJsonString(new() { WriteIndented = true })));
            return $"saved: {path}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }
}
