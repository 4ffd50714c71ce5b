using System.Text.Json.Nodes;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Training;

namespace Banyan.Cli.Verbs;

/// <summary>Trains a language model by a recipe.</summary>
internal sealed class PretrainVerb : Verb
{
    public override string Name => "pretrain";

    public override string Summary => "Trains a language model on text, by a recipe.";

    public override string Example => "pretrain --config recipes/shakespeare-char.yaml data.train=input.txt run.dir=runs/shakespeare";

    // The keys that are read: what a misspelt one is compared with.
    public override IReadOnlyList<Setting> Settings =>
    [
        .. new[] { "model.type", "model.depth", "model.path", "data.train", "data.validation", "data.split", "data.split_documents", "data.tokenizer", "data.vocab_size", "data.packing",
            "data.text_key", "data.separator", "data.strict", "train.steps", "train.batch", "train.sequence", "train.accumulation", "train.clip", "train.checkpoint_activations", "train.precision",
            "train.eval_every", "train.eval_batches", "train.patience", "train.log_every", "train.sample_every", "train.prompts", "train.sample_tokens", "optimizer.type",
            "optimizer.learning_rate", "optimizer.beta1", "optimizer.beta2", "optimizer.eps", "optimizer.weight_decay", "schedule.type", "schedule.warmup", "schedule.decay",
            "schedule.floor", "guard.action", "guard.spike", "run.dir", "run.save_every", "run.keep_last", "run.keep_best" }.Select(k => new Setting(k, "See docs/pretraining.md.")),
        new("run.resume", "Go on from the newest checkpoint of run.dir."), new("run.tensorboard", "Write TensorBoard event files (true)."),
        new("dry_run", "Print the plan and do nothing.", SettingKind.Flag),
    ];

    public override bool TakesSections => true;

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        bool dry = s.Flag("dry_run");
        PretrainOptions options = SettingReader.Usage(() => PretrainOptions.Read(s.All));
        if (dry)
        {
            return s.Work(() => Plan(options, output, stop));
        }
        using var console = new PretrainConsole(output);
        PretrainResult result = s.Work(() => Pretraining.Run(options, console, stop));
        console.Break();
        File.WriteAllText(Path.Combine(result.Run, "report.html"), PretrainReport.Page(options, result, console.Samples).ToString());
        output.Line(FormattableString.Invariant($"step {result.Steps}: training loss {result.TrainLoss:F4}, held-out loss {result.ValidationLoss:F4}; {result.TokensPerSecond:F0} tokens/s, {result.PeakShare:P0} of the peak"));
        output.Line($"model: {result.Model}   report: {Path.Combine(result.Run, "report.html")}");
        if (!result.Completed)
        {
            output.Line("stopped; run.resume=true goes on");
        }
        output.Document(new JsonObject
        {
            ["run"] = result.Run, ["model"] = result.Model, ["steps"] = result.Steps, ["train_loss"] = Reporter.Number(result.TrainLoss), ["val_loss"] = Reporter.Number(result.ValidationLoss),
            ["tokens_per_s"] = Reporter.Number(result.TokensPerSecond), ["peak_rss_mib"] = Reporter.Number(result.PeakRssMib), ["seconds"] = Reporter.Number(result.Seconds),
            ["fraction_of_peak"] = Reporter.Number(result.PeakShare), ["completed"] = result.Completed,
        });
        return result.Completed ? 0 : 1;
    }

    private static int Plan(PretrainOptions options, Reporter output, CancellationToken stop)
    {
        TrainingForecast f = TrainingForecast.Of(options, stop);
        output.Line(f.ToString());
        output.Document(new JsonObject
        {
            ["parameters"] = f.Parameters, ["parameter_bytes"] = f.ParameterBytes, ["gradient_bytes"] = f.GradientBytes, ["optimizer_bytes"] = f.OptimizerBytes,
            ["activation_bytes"] = f.ActivationBytes, ["total_bytes"] = f.TotalBytes, ["flops"] = f.Flops, ["seconds"] = Reporter.Number(f.Seconds), ["tokens"] = f.Tokens,
        });
        return 0;
    }
}
