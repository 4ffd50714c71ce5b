using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Inference;
using Banyan.Models;

namespace Banyan.Cli.Options;

/// <summary>The settings of one call: the YAML file, overridden by options and <c>name=value</c> pairs, read with checked types.</summary>
internal sealed class SettingReader
{
    private readonly ConfigReader _values;

    private SettingReader(ConfigReader values) => _values = values;

    /// <summary>Everything as one tree, for recipes.</summary>
    public ConfigReader All => _values;

    /// <summary>Threads that compute; 0: all.</summary>
    public int Threads => Int("threads", 0, 0, 1024);

    /// <summary>The seed.</summary>
    public long Seed => Usage(() => _values.GetLong("seed", 0));

    public static SettingReader Read(Verb verb, string? configPath, IReadOnlyList<string> arguments, IEnumerable<(string Option, string[] Values)> options)
    {
        JsonObject tree = configPath is null ? [] : YamlFile.Read(configPath);
        var set = new SettingTree(tree, verb);
        int position = 0;
        foreach (string argument in arguments)
        {
            int equals = argument.IndexOf('=');
            if (equals > 0 && argument[..equals].All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
            {
                set.Set(argument[..equals], argument[(equals + 1)..]);
            }
            else if (position < verb.Arguments.Count)
            {
                set.Set(verb.Arguments[position++].TrimEnd('?'), argument);
            }
            else
            {
                throw new UsageException($"unexpected argument '{argument}' (banyan {verb.Name} --help)");
            }
        }
        foreach ((string option, string[] values) in options)
        {
            set.Set(option[2..], values);
        }
        foreach (string name in verb.Arguments.Where(a => !a.EndsWith('?') && !tree.ContainsKey(a)))
        {
            throw new UsageException($"{name.ToUpperInvariant()} is missing: banyan {verb.Example}");
        }
        string source = configPath ?? "command line";
        return new SettingReader(ConfigReader.Parse(Encoding.UTF8.GetBytes(tree.ToJsonString()), source));
    }

    public bool Has(string name) => _values.Has(name);

    public string Text(string name, string? otherwise = null) => Usage(() => _values.GetString(name, otherwise));

    public string? OptionalText(string name) => _values.Has(name) ? Text(name) : null;

    public string[] Texts(string name) => Usage(() => _values.GetStrings(name));

    public int Int(string name, int? otherwise = null, int min = int.MinValue, int max = int.MaxValue) => Usage(() => _values.GetInt(name, otherwise, min, max));

    public double Number(string name, double? otherwise = null, double min = double.MinValue, double max = double.MaxValue) => Usage(() => _values.GetDouble(name, otherwise, min, max));

    public bool Flag(string name) => Usage(() => _values.GetBool(name, false));

    /// <summary>The settings of <see cref="LanguageModel"/>.</summary>
    public static IReadOnlyList<Setting> ModelSettings { get; } =
    [
        new("weights", "stored computes with weights as the file has them, float32 widens them first (stored).", SettingKind.Text),
        new("rope.scaling", "A longer context: none, linear, dynamic, ntk or yarn.", SettingKind.Text), new("rope.factor", "How many times as long (2)."), new("rope.original", "The context of the training (config.json's)."),
    ];

    /// <summary>Loads a language model as the settings say.</summary>
    /// <param name="path">Where it is.</param>
    public LanguageModel LanguageModel(string path)
    {
        ConfigReader? rope = _values.GetOptionalObject("rope");
        RopeScaling? scaling = rope is null ? null : Usage(() =>
        {
            var read = new RopeScaling(rope.GetChoice("scaling", RopeScaling.Types), rope.GetDouble("factor", 2, min: 1), rope.Has("original") ? rope.GetInt("original", min: 2) : null);
            rope.RefuseUnreadKeys();
            return read;
        });
        WeightPrecision precision = Text("weights", "stored") switch
        {
            "stored" => WeightPrecision.Stored,
            "float32" => WeightPrecision.Float32,
            var other => throw new UsageException($"weights is {other}; expected stored or float32"),
        };
        return Inference.LanguageModel.Load(path, precision: precision, rope: scaling);
    }

    /// <summary>Reads something from the settings: what is wrong with them is wrong usage.</summary>
    public static T Usage<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is CheckpointException or ArgumentException)
        {
            throw new UsageException(e.Message, e);
        }
    }

    /// <summary>Does work that reads more of the settings as it goes: an error that names them is wrong usage, any other is not.</summary>
    public T Work<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (CheckpointException e) when (e.Path.StartsWith(_values.Source, StringComparison.Ordinal))
        {
            throw new UsageException(e.Message, e);
        }
    }
}
