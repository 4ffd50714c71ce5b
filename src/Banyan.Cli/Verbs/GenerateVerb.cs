using System.Diagnostics;
using System.Text.Json.Nodes;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Cpu;
using Banyan.Inference;

namespace Banyan.Cli.Verbs;

/// <summary>Writes on from a prompt.</summary>
internal sealed class GenerateVerb : Verb
{
    public override string Name => "generate";

    public override string Summary => "Writes text with a model.";

    public override string Example => "generate runs/quickstart/model --prompt \"One day\" --temperature 0.7";

    public override IReadOnlyList<string> Arguments => ["model"];

    public override IReadOnlyList<Setting> Settings =>
    [
        new("prompt", "The text to go on from; several make a batch.", SettingKind.Text), new("ids", "The prompt as token ids: 1,2,3.", SettingKind.Text),
        new("max_new_tokens", "The most tokens to generate (128)."), new("temperature", "Below 1 more certain, above 1 more varied; 0: the most probable token (1)."),
        new("top_k", "Only the k most probable tokens; 0 is off."), new("top_p", "Only the most probable tokens up to this probability; 1 is off."),
        new("min_p", "Only tokens of this share of the largest probability; 0 is off."), new("repetition_penalty", "Above 1: tokens that occurred are less probable (1)."),
        new("frequency_penalty", "Subtracted for each occurrence (0)."), new("presence_penalty", "Subtracted once for tokens that occurred (0)."),
        new("stop", "A text that ends the generation; may be given several times.", SettingKind.Text), new("ignore_end", "Go on behind the end of the text.", SettingKind.Flag),
        new("n", "Completions of each prompt (1)."), new("top_logprobs", "Report the n most probable tokens at each position (0)."),
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        var options = new GenerationOptions
        {
            MaxNewTokens = s.Int("max_new_tokens", 128, 0), Temperature = s.Number("temperature", 1, 0), TopK = s.Int("top_k", 0, 0), TopP = s.Number("top_p", 1), MinP = s.Number("min_p", 0),
            RepetitionPenalty = s.Number("repetition_penalty", 1), FrequencyPenalty = s.Number("frequency_penalty", 0), PresencePenalty = s.Number("presence_penalty", 0),
            StopStrings = s.Texts("stop"), IgnoreEnd = s.Flag("ignore_end"), Completions = s.Int("n", 1, 1), TopLogProbs = s.Int("top_logprobs", 0, 0), Seed = s.Seed,
        };
        SettingReader.Usage(options.Validated);
        var clock = Stopwatch.StartNew();
        LanguageModel lm = LanguageModel.Load(s.Text("model"));
        int[][] prompts = Prompts(s, lm);
        using ComputePool? pool = s.Threads > 0 ? new ComputePool(s.Threads) : null;
        double first = double.NaN;
        bool stream = prompts.Length * options.Completions == 1;
        Completion[] done = lm.Generate(prompts, options, t =>
        {
            first = double.IsNaN(first) ? clock.Elapsed.TotalSeconds : first;
            if (stream)
            {
                output.Out.Write(t.Text);
                output.Out.Flush();
            }
        }, pool, stop);
        Show(done, stream, output);
        output.Document(Document(done, first, clock.Elapsed.TotalSeconds));
        return 0;
    }

    private static int[][] Prompts(SettingReader s, LanguageModel lm)
    {
        string[] texts = s.Texts("prompt");
        if (s.Has("ids"))
        {
            return [IdList.Parse(s.Text("ids"))];
        }
        return texts.Length > 0 ? [.. texts.Select(t => lm.Tokenizer.EncodeToIds(t))]
            : [lm.Tokenizer.EncodeToIds("") is { Length: > 0 } begin ? begin : throw new UsageException("--prompt is missing: this model has no begin-of-text token to start from")];
    }

    private static void Show(Completion[] done, bool streamed, Reporter output)
    {
        if (streamed)
        {
            output.Line();
            return;
        }
        for (int i = 0; i < done.Length; i++)
        {
            output.Line($"--- {i}");
            output.Line(done[i].Text);
        }
    }

    private static JsonObject Document(Completion[] done, double first, double seconds)
    {
        int tokens = done.Sum(c => c.Ids.Count);
        JsonObject result = One(done[0]);
        result["tokens_per_s"] = Reporter.Number(tokens > 1 ? (tokens - 1) / Math.Max(seconds - first, 1e-9) : double.NaN);
        result["time_to_first_token_s"] = Reporter.Number(first);
        if (done.Length > 1)
        {
            result["completions"] = new JsonArray([.. done.Select(One)]);
        }
        return result;
    }

    private static JsonObject One(Completion c)
    {
        var result = new JsonObject
        {
            ["prompt_ids"] = Reporter.Ids(c.PromptIds),
            ["ids"] = Reporter.Ids(c.Ids),
            ["text"] = c.Text,
            ["logprobs"] = Reporter.Numbers(c.LogProbs),
            ["finish"] = c.Finish.ToString().ToLowerInvariant(),
        };
        if (c.Top.Any(t => t.Count > 0))
        {
            result["top_logprobs"] = new JsonArray([.. c.Top.Select(t => new JsonArray([.. t.Select(x => new JsonObject { ["id"] = x.Id, ["logprob"] = x.LogProb })]))]);
        }
        return result;
    }
}
