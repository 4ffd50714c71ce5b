using System.Diagnostics;
using System.Text.Json.Nodes;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Cpu;
using Banyan.Inference;
using Banyan.Inference.Sampling;
using Banyan.Tokenizers;
using Banyan.Tokenizers.ChatTemplates;

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
        new("chat", "The prompt is what a user says: it goes through the model's chat template.", SettingKind.Flag), new("system", "With --chat: the system message.", SettingKind.Text),
        new("max_new_tokens", "The most tokens to generate (128)."), new("temperature", "Below 1 more certain, above 1 more varied; 0: the most probable token (1)."),
        new("top_k", "Only the k most probable tokens; 0 is off."), new("top_p", "Only the most probable tokens up to this probability; 1 is off."),
        new("min_p", "Only tokens of this share of the largest probability; 0 is off."), new("repetition_penalty", "Above 1: tokens that occurred are less probable (1)."),
        new("frequency_penalty", "Subtracted for each occurrence (0)."), new("presence_penalty", "Subtracted once for tokens that occurred (0)."),
        new("no_repeat_ngram", "No run of this many tokens twice; 0 is off."), new("beams", "Search with this many beams instead of drawing (1; encoder-decoders always search)."),
        new("length_penalty", "Beams: above 0 favours long texts (1)."),
        new("stop", "A text that ends the generation; may be given several times.", SettingKind.Text), new("ignore_end", "Go on behind the end of the text.", SettingKind.Flag),
        new("n", "Completions of each prompt (1)."), new("top_logprobs", "Report the n most probable tokens at each position (0)."), .. SettingReader.ModelSettings,
        new("draft", "With temperature 0, the same tokens in fewer passes: a small model of the same vocabulary that guesses ahead, or 'lookup' to guess what stood in the text before.", SettingKind.Text),
        new("drafted", "Tokens that are guessed at once (4)."), new("check", "Name the layer in which numbers that are not finite appear first.", SettingKind.Flag),
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        var options = new GenerationOptions
        {
            MaxNewTokens = s.Int("max_new_tokens", 128, 0), Temperature = s.Number("temperature", 1, 0), TopK = s.Int("top_k", 0, 0), TopP = s.Number("top_p", 1), MinP = s.Number("min_p", 0),
            RepetitionPenalty = s.Number("repetition_penalty", 1), FrequencyPenalty = s.Number("frequency_penalty", 0), PresencePenalty = s.Number("presence_penalty", 0),
            Processors = s.Int("no_repeat_ngram", 0, 0) is > 0 and int size ? [new NoRepeatNGram(size)] : [],
            StopStrings = s.Texts("stop"), IgnoreEnd = s.Flag("ignore_end"), Completions = s.Int("n", 1, 1), TopLogProbs = s.Int("top_logprobs", 0, 0), Seed = s.Seed, Check = s.Flag("check"),
        };
        SettingReader.Usage(options.Validated);
        if (s.Int("beams", 1, 1, 1024) > 1 || TextToText.Is(s.Text("model")))
        {
            return Search(s, options, output, stop);
        }
        var clock = Stopwatch.StartNew();
        LanguageModel lm = s.LanguageModel(s.Text("model"));
        int[][] prompts = Prompts(s, lm);
        using ComputePool? pool = s.Threads > 0 ? new ComputePool(s.Threads) : null;
        if (s.Has("draft"))
        {
            return Drafted(s, lm, prompts, options, pool, output, stop);
        }
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

    private static int Drafted(SettingReader s, LanguageModel lm, int[][] prompts, GenerationOptions options, ComputePool? pool, Reporter output, CancellationToken stop)
    {
        if (options.Temperature != 0 || prompts.Length != 1 || options.Completions != 1)
        {
            throw new UsageException("draft goes on from one prompt with --temperature 0");
        }
        var clock = Stopwatch.StartNew();
        using ModelDraft? model = s.Text("draft") == "lookup" ? null : new ModelDraft(s.LanguageModel(s.Text("draft")), pool);
        IReadOnlyList<int> ids = AssistedDecoding.Generate(lm, model is null ? new PromptLookup() : model, prompts[0], options.MaxNewTokens, s.Int("drafted", 4, 1, 64), pool, stop);
        string text = lm.HasTokenizer ? lm.Tokenizer.Decode([.. ids]) : string.Join(' ', ids);
        output.Line(text);
        output.Document(new JsonObject { ["prompt_ids"] = Reporter.Ids(prompts[0]), ["ids"] = Reporter.Ids(ids), ["text"] = text, ["tokens_per_s"] = Reporter.Number(ids.Count / clock.Elapsed.TotalSeconds) });
        return 0;
    }

    private static int Search(SettingReader s, GenerationOptions options, Reporter output, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var beams = new BeamOptions { Beams = s.Int("beams", 1, 1, 1024), MaxNewTokens = Math.Max(options.MaxNewTokens, 1), LengthPenalty = s.Number("length_penalty", 1), Processors = options.Processors };
        using ComputePool? pool = s.Threads > 0 ? new ComputePool(s.Threads) : null;
        int[] prompt;
        IReadOnlyList<Beam> found;
        Tokenizer? tokenizer;
        if (TextToText.Is(s.Text("model")))
        {
            TextToText model = TextToText.Load(s.Text("model"));
            prompt = s.Has("ids") ? IdList.Parse(s.Text("ids")) : s.Texts("prompt") is [var text] ? model.Tokenizer.EncodeToIds(text) : throw new UsageException("an encoder-decoder needs one --prompt, its source");
            (found, tokenizer) = (model.Generate(prompt, beams, pool, stop), s.Has("ids") ? null : model.Tokenizer);
        }
        else
        {
            LanguageModel lm = s.LanguageModel(s.Text("model"));
            int[][] prompts = Prompts(s, lm);
            prompt = prompts.Length == 1 ? prompts[0] : throw new UsageException($"beams search one prompt at a time; {prompts.Length} were given");
            (found, tokenizer) = (BeamSearch.Search(lm, prompt, beams, pool, stop), lm.HasTokenizer ? lm.Tokenizer : null);
        }
        string Text(Beam b) => tokenizer?.Decode([.. b.Ids]) ?? string.Join(' ', b.Ids);
        foreach (Beam b in found)
        {
            output.Line(found.Count == 1 ? Text(b) : FormattableString.Invariant($"{b.Score,10:F4}  {Text(b)}"));
        }
        output.Document(new JsonObject
        {
            ["prompt_ids"] = Reporter.Ids(prompt), ["ids"] = Reporter.Ids(found[0].Ids), ["text"] = Text(found[0]), ["score"] = found[0].Score,
            ["tokens_per_s"] = Reporter.Number(found[0].Ids.Count / clock.Elapsed.TotalSeconds),
            ["beams"] = new JsonArray([.. found.Select(b => new JsonObject { ["ids"] = Reporter.Ids(b.Ids), ["text"] = Text(b), ["score"] = b.Score })]),
        });
        return 0;
    }

    private static int[][] Prompts(SettingReader s, LanguageModel lm)
    {
        string[] texts = s.Texts("prompt");
        if (s.Has("ids"))
        {
            return [IdList.Parse(s.Text("ids"))];
        }
        if (s.Flag("chat"))
        {
            return texts.Length > 0 ? [.. texts.Select(t => Chat(s, lm, t))] : throw new UsageException("--chat needs a --prompt: what the user says");
        }
        return texts.Length > 0 ? [.. texts.Select(t => lm.Tokenizer.EncodeToIds(t))]
            : [lm.Tokenizer.EncodeToIds("") is { Length: > 0 } begin ? begin : throw new UsageException("--prompt is missing: this model has no begin-of-text token to start from")];
    }

    private static int[] Chat(SettingReader s, LanguageModel lm, string said)
    {
        if (lm.Tokenizer.ChatTemplate is null)
        {
            throw new InvalidDataException($"{s.Text("model")}: has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json)");
        }
        return lm.Tokenizer.EncodeChat(s.Has("system") ? ChatRequest.Of(("system", s.Text("system")), ("user", said)) : ChatRequest.Of(("user", said))).Ids;
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
