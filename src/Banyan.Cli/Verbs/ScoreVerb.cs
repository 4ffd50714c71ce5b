using System.Text.Json.Nodes;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Cpu;
using Banyan.Inference;

namespace Banyan.Cli.Verbs;

/// <summary>Measures how probable a text is.</summary>
internal sealed class ScoreVerb : Verb
{
    public override string Name => "score";

    public override string Summary => "Log-probabilities and perplexity of a text under a model.";

    public override string Example => "score runs/quickstart/model --text \"Tom has a red ball.\"";

    public override IReadOnlyList<string> Arguments => ["model"];

    public override IReadOnlyList<Setting> Settings =>
    [
        new("text", "The text.", SettingKind.Text), new("file", "A file with the text.", SettingKind.Text), new("ids", "The text as token ids: 1,2,3.", SettingKind.Text),
        new("window", "The longest context in tokens; 0: the model's."), new("strict", "Refuse a file that is not UTF-8.", SettingKind.Flag), .. SettingReader.ModelSettings,
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        LanguageModel lm = s.LanguageModel(s.Text("model"));
        int[] ids = s.Has("ids") ? IdList.Parse(s.Text("ids")) : lm.Tokenizer.EncodeToIds(InputText.Read(s));
        int window = s.Int("window", 0, 0);
        if (ids.Length < 2 || window > lm.Model.MaxPositions || window == 1)
        {
            throw new UsageException(ids.Length < 2 ? $"the text has {ids.Length} tokens; at least 2 are needed to predict one" : $"window is {window}; expected 2 to {lm.Model.MaxPositions}, the model's positions");
        }
        using ComputePool? pool = s.Threads > 0 ? new ComputePool(s.Threads) : null;
        TextScore score = lm.Score(ids, window, pool, stop);
        output.Line(FormattableString.Invariant($"{score.LogProbs.Count} predicted tokens, {score.Nll:F4} nats per token, perplexity {score.Perplexity:F3}"));
        output.Document(new JsonObject
        {
            ["ids"] = Reporter.Ids(score.Ids),
            ["logprobs"] = Reporter.Numbers(score.LogProbs),
            ["nll"] = Reporter.Number(score.Nll),
            ["perplexity"] = Reporter.Number(score.Perplexity),
        });
        return 0;
    }
}
