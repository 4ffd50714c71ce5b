using System.Diagnostics;

using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Cpu;
using Banyan.Data.Stories;
using Banyan.Inference;
using Banyan.Tokenizers;
using Banyan.Training;
using Banyan.Training.Stories;

namespace Banyan.Cli.Verbs;

/// <summary>From nothing to a model that writes and answers: generated stories, a tokenizer, pretraining, honest yardsticks, a report.</summary>
internal sealed class QuickstartVerb : Verb
{
    private const int HeldOutDocuments = 300;

    public override string Name => "quickstart";

    public override string Summary => "Generates a corpus, trains a tokenizer and a small model on it, and shows what it learned.";

    public override string Example => "quickstart";

    public override IReadOnlyList<Setting> Settings => [.. new PretrainVerb().Settings.Where(s => s.Kind != SettingKind.Flag), new("megabytes", "Size of the training corpus (8.4).")];

    public override bool TakesSections => true;

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        PretrainOptions recipe = Recipe(s);
        double megabytes = s.Number("megabytes", 8.4, 0.2, 1000);
        string corpus = Path.Combine(recipe.Run.Dir, "corpus");
        output.Note(FormattableString.Invariant($"writing {megabytes} MB of stories with questions to {corpus}"));
        var generator = new StoryGenerator((ulong)recipe.Seed);
        StoryDocument[] training = [.. generator.TrainingCorpus((long)(megabytes * 1e6))], heldOut = [.. generator.HeldOutCorpus(HeldOutDocuments)];
        Write(Path.Combine(corpus, "train.txt"), training);
        Write(Path.Combine(corpus, "heldout.txt"), heldOut);

        using var console = new PretrainConsole(output);
        PretrainResult result = Pretraining.Run(recipe with { Train = recipe.Train with { Prompts = [.. heldOut.Take(2).Select(Opening)] } }, console, stop);
        console.Break();
        if (!result.Completed)
        {
            output.Note($"stopped at step {result.Steps}");
            return 1;
        }
        using ComputePool? pool = recipe.Threads > 0 ? new ComputePool(recipe.Threads) : null;
        LanguageModel lm = LanguageModel.Load(result.Model);
        int end = ModelPlan.EndId(lm.Tokenizer)!.Value;
        output.Note("measuring: held-out loss, unigram and trigram models, answers");
        StoryYardsticks yardsticks = StoryYardsticks.Measure(training, heldOut, lm.Tokenizer, end);
        double loss = StoryYardsticks.LossOf(lm, heldOut, end, pool, stop), answers = StoryYardsticks.AnswersOf(lm, heldOut, pool, stop);
        string report = Path.Combine(recipe.Run.Dir, "report.html");
        File.WriteAllText(report, QuickstartReport.Page(recipe, result, console.Samples, yardsticks, loss, answers).ToString());
        Show(output, console.Samples, yardsticks, loss, answers, result, report, clock.Elapsed.TotalSeconds);
        output.Document(new JsonObject
        {
            ["heldout_loss"] = loss, ["floor_loss"] = yardsticks.FloorLoss, ["trigram_loss"] = yardsticks.TrigramLoss, ["unigram_loss"] = yardsticks.UnigramLoss,
            ["closed"] = yardsticks.Closed(loss), ["answers_correct"] = answers, ["answers_blind"] = yardsticks.BlindAccuracy, ["seconds"] = clock.Elapsed.TotalSeconds,
            ["model"] = result.Model, ["report"] = report, ["tokens_per_s"] = result.TokensPerSecond, ["fraction_of_peak"] = Reporter.Number(result.PeakShare),
            ["peak_rss_mib"] = result.PeakRssMib, ["run"] = result.Run,
        });
        return 0;
    }

    // The recipe of recipes/quickstart.yaml, overridden by the command line, in a folder that no other run uses.
    private static PretrainOptions Recipe(SettingReader s)
    {
        using Stream yaml = typeof(QuickstartVerb).Assembly.GetManifestResourceStream("quickstart.yaml")!;
        JsonObject tree = YamlFile.Read(yaml, "recipes/quickstart.yaml");
        SettingTree.Merge(tree, JsonNode.Parse(s.All.Json)!.AsObject());
        tree.Remove("megabytes");
        string dir = Unused(tree["run"]!["dir"]!.GetValue<string>());
        tree["run"]!["dir"] = dir;
        tree["data"]!["train"] = Path.Combine(dir, "corpus", "train.txt");
        tree["data"]!["validation"] = Path.Combine(dir, "corpus", "heldout.txt");
        return SettingReader.Usage(() => PretrainOptions.Read(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(tree.ToJsonString()), "recipes/quickstart.yaml")));
    }

    private static string Unused(string dir)
    {
        string candidate = dir;
        for (int i = 2; Directory.Exists(candidate); i++)
        {
            candidate = $"{dir}-{i}";
        }
        return candidate;
    }

    private static void Write(string path, IEnumerable<StoryDocument> documents)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(string.Join("\n<|endoftext|>\n", documents.Select(d => d.Text)) + "\n"));
    }

    // The first sentence of a story that training never shows.
    private static string Opening(StoryDocument d) => d.Text[..(d.Text.IndexOf('.') + 1)];

    private static void Show(Reporter output, List<PretrainProgress.Sampled> samples, StoryYardsticks y, double loss, double answers, PretrainResult result, string report, double seconds)
    {
        foreach (IGrouping<string, PretrainProgress.Sampled> prompt in samples.GroupBy(p => p.Prompt))
        {
            SideBySide.Write(output.Out, $"before (step {prompt.First().Step})", prompt.Key + prompt.First().Text, $"after (step {prompt.Last().Step})", prompt.Key + prompt.Last().Text);
        }
        output.Line(FormattableString.Invariant($"held-out loss {loss:F3} nats per token: {100 * y.Closed(loss):F0} % of the way from the trigram ({y.TrigramLoss:F3}) to the floor ({y.FloorLoss:F3}); unigram {y.UnigramLoss:F3}"));
        output.Line(FormattableString.Invariant($"questions answered exactly: {100 * answers:F0} %; best guess without the story: {100 * y.BlindAccuracy:F0} %"));
        output.Line(FormattableString.Invariant($"{result.TokensPerSecond:F0} tokens/s, {100 * result.PeakShare:F0} % of the FMA peak, {result.PeakRssMib:F0} MiB, {seconds:F0} s"));
        output.Line($"model {result.Model}   report {report}");
        output.Line();
        output.Line("Try next:");
        output.Line($"  banyan generate {result.Model} --prompt \"One day\" --temperature 0.7");
        output.Line($"  banyan score {result.Model} --text \"Tom has a red ball.\"");
        output.Line("  banyan pretrain --config recipes/shakespeare-char.yaml data.train=your-text.txt");
    }
}
