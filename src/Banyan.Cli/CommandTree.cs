using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Banyan.Checkpoints;
using Banyan.Cli.Verbs;
using Banyan.Tokenizers;
using Banyan.Training;

namespace Banyan.Cli;

/// <summary>The verbs, and what is common to all: options, exit codes, one line for each error.</summary>
internal static partial class CommandTree
{
    // One row per verb.
    private static readonly Verb[] s_verbs =
    [
        new QuickstartVerb(), new PretrainVerb(), new TokenizerTrainVerb(), new TokenizerEncodeVerb(), new TokenizerDecodeVerb(), new TokenizerChatVerb(), new GenerateVerb(), new ChatVerb(), new ScoreVerb(),
        new ForwardVerb(), new InfoVerb(), new PerplexityVerb(), new ConvertVerb(), new QuantizeVerb(), new CreateVerb(), new BenchVerb(), new VerifyVerb(),
    ];

    public static IReadOnlyList<Verb> Verbs => s_verbs;

    /// <summary>Runs a command line; returns 0 (done), 1 (failed) or 2 (wrong usage).</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            // The first Ctrl-C ends the work in good order, the second one ends the process.
            e.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        };
        bool verbose = args.Contains("--verbose");
        try
        {
            ParseResult parsed = Root(args, stop.Token).Parse(args);
            if (parsed.Errors.Count > 0)
            {
                throw new UsageException(parsed.Errors[0].Message + Suggestion(parsed));
            }
            var settings = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(settings, stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (Describe(e) is { } line)
        {
            await Console.Error.WriteLineAsync(verbose ? e.ToString() : $"banyan: {line}").ConfigureAwait(false);
            return e is UsageException ? 2 : 1;
        }
    }

    // Only the verb that is called gets its options: the others are names in a list, and each option takes time to make.
    private static RootCommand Root(string[] args, CancellationToken stop)
    {
        var root = new RootCommand("Banyan: train, fine-tune and run language models in .NET.");
        foreach (Verb verb in s_verbs)
        {
            Command parent = root;
            string[] words = verb.Name.Split(' ');
            foreach (string group in words[..^1])
            {
                Command? found = parent.Subcommands.FirstOrDefault(c => c.Name == group);
                if (found is null)
                {
                    parent.Subcommands.Add(found = new Command(group, $"The {group} commands."));
                }
                parent = found;
            }
            parent.Subcommands.Add(args.AsSpan().StartsWith(words) ? verb.ToCommand(words[^1], stop) : new Command(words[^1], verb.Summary));
        }
        return root;
    }

    private static string Suggestion(ParseResult parsed)
    {
        string word = parsed.UnmatchedTokens.FirstOrDefault(t => !t.StartsWith('-')) ?? "";
        IEnumerable<string> verbs = s_verbs.Select(v => v.Name.Split(' ')[0]).Distinct();
        return parsed.CommandResult.Command is RootCommand && word.Length > 0 && !verbs.Contains(word) ? NearestName.Hint(word, verbs) : " (banyan --help lists the verbs)";
    }

    // What a user can act on, in one line; anything else is a defect of ours and shows its stack.
    private static string? Describe(Exception e) => e switch
    {
        OperationCanceledException => "stopped",
        AggregateException { InnerExceptions: [var one] } => Describe(one),
        UsageException or CheckpointException or TokenizerFormatException or TrainingStoppedException or IOException or InvalidDataException
            or UnauthorizedAccessException or ArgumentException or InvalidOperationException or NotSupportedException or OutOfMemoryException => Line(e.Message),
        _ => null,
    };

    // The runtime adds the name of a parameter of ours, which says nothing to a user, and the value on a line of its own.
    private static string Line(string message) =>
        ActualValue().Replace(ParameterName().Replace(message, ""), " (found $1)").ReplaceLineEndings("; ");

    [GeneratedRegex(@" \(Parameter '\w+'\)")]
    private static partial Regex ParameterName();

    [GeneratedRegex(@"\r?\nActual value was (.*)\.$")]
    private static partial Regex ActualValue();
}
