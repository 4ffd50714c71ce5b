using System.CommandLine;
using Banyan.Cli.Options;
using Banyan.Cli.Output;

namespace Banyan.Cli;

/// <summary>
/// A command of the tool. Its settings have one name each, given as <c>--max-new-tokens 5</c>, as <c>max_new_tokens=5</c>, or in the YAML file of
/// <c>--config</c>; the command line wins.
/// </summary>
internal abstract class Verb
{
    /// <summary>The words of the command: <c>tokenizer train</c>.</summary>
    public abstract string Name { get; }

    /// <summary>One line for <c>--help</c>.</summary>
    public abstract string Summary { get; }

    /// <summary>A command that works.</summary>
    public abstract string Example { get; }

    /// <summary>The positional arguments, by the names of the settings that they set; a name with <c>?</c> behind may be left out.</summary>
    public virtual IReadOnlyList<string> Arguments => [];

    /// <summary>The settings with what they mean.</summary>
    public abstract IReadOnlyList<Setting> Settings { get; }

    /// <summary>True where further settings are sections of a recipe, checked when they are read.</summary>
    public virtual bool TakesSections => false;

    /// <summary>Does the work.</summary>
    public abstract int Run(SettingReader settings, Reporter output, CancellationToken stop);

    public Command ToCommand(string word, CancellationToken stop)
    {
        var command = new Command(word, $"{Summary}\n\nExample:\n  banyan {Example}");
        var rest = new Argument<string[]>("arguments")
        {
            Arity = ArgumentArity.ZeroOrMore,
            Description = string.Join(' ', Arguments.Select(a => a.ToUpperInvariant()).Append("name=value ...")),
        };
        command.Arguments.Add(rest);
        var config = new Option<string?>("--config") { Description = "A YAML file with settings." };
        var json = new Option<bool>("--json") { Description = "One JSON document on the last line of standard output." };
        var verbose = new Option<bool>("--verbose") { Description = "Show stack traces." };
        command.Options.Add(config);
        command.Options.Add(json);
        command.Options.Add(verbose);
        List<Option<string[]>> options = [.. AllSettings.Select(ToOption)];
        options.ForEach(command.Options.Add);
        command.SetAction(parsed =>
        {
            SettingReader settings = SettingReader.Read(this, parsed.GetValue(config), parsed.GetValue(rest) ?? [],
                options.Where(o => parsed.GetResult(o) is not null).Select(o => (o.Name, parsed.GetValue(o) ?? [])));
            var output = new Reporter(parsed.GetValue(json));
            return Run(settings, output, stop);
        });
        return command;
    }

    /// <summary>The verb's settings and those that every verb has.</summary>
    public IEnumerable<Setting> AllSettings => [.. Settings, new("seed", "Seed of everything random."), new("threads", "Threads that compute; 0: all processors.")];

    // Values are texts here; the setting that is read decides what they must be.
    private static Option<string[]> ToOption(Setting setting) => new("--" + setting.Name.Replace('_', '-').Replace('.', '-'), setting.Name == "out" ? ["-o"] : [])
    {
        Description = setting.Help,
        Arity = setting.Kind == SettingKind.Flag ? ArgumentArity.Zero : ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };
}
