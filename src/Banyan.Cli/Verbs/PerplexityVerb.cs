using System.Text.Json.Nodes;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Inference;

namespace Banyan.Cli.Verbs;

/// <summary>Measures how well a model predicts a text, and how much another differs from it.</summary>
internal sealed class PerplexityVerb : Verb
{
    public override string Name => "perplexity";

    public override string Summary => "Perplexity of a text: as llama.cpp defines it (chunks, the second half of each scored), with --stride as Hugging Face does; with --against also how far a model is from another.";

    public override string Example => "perplexity model-q4_k_m.gguf --file wiki.test.raw --against model";

    public override IReadOnlyList<string> Arguments => ["model"];

    public override IReadOnlyList<Setting> Settings =>
    [
        new("text", "The text.", SettingKind.Text), new("file", "A file with the text.", SettingKind.Text), new("ids", "The text as token ids: 1,2,3.", SettingKind.Text),
        new("context", "Tokens of a chunk, or of a window (512)."), new("stride", "Windows that begin every so many tokens, each token scored once; 0: chunks (0)."), new("chunks", "The most chunks; 0: all (0)."),
        new("against", "The model before it was changed: divergence and agreement are measured too.", SettingKind.Text), new("strict", "Refuse a file that is not UTF-8.", SettingKind.Flag), .. SettingReader.ModelSettings,
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        LanguageModel lm = s.LanguageModel(s.Text("model"));
        int[] ids = s.Has("ids") ? IdList.Parse(s.Text("ids")) : lm.Tokenizer.EncodeToIds(InputText.Read(s));
        int context = s.Int("context", Math.Min(512, lm.Model.MaxPositions), 4, lm.Model.MaxPositions), stride = s.Int("stride", 0, 0, context), chunks = s.Int("chunks", 0, 0);
        using ComputePool? pool = s.Threads > 0 ? new ComputePool(s.Threads) : null;
        if (stride > 0)
        {
            return Show(SettingReader.Usage(() => lm.SlidingPerplexity(ids, context, stride, pool, stop)), null, output);
        }
        ProgressLine? line = null;
        var progress = new Told<(int Done, int Total)>(p => (line ??= output.Progress("chunks", p.Total)).Report(p.Done, "chunks"));
        try
        {
            if (s.OptionalText("against") is not { } original)
            {
                return Show(SettingReader.Usage(() => lm.Perplexity(ids, context, lm.BeginId(ids), chunks, pool, progress, stop)), null, output);
            }
            LanguageModel before = LanguageModel.Load(original);
            DivergenceResult result = SettingReader.Usage(() => lm.Divergence(before, ids, context, lm.BeginId(ids), chunks, pool, progress, stop));
            return Show(result.Changed, result, output);
        }
        finally
        {
            line?.Dispose();
        }
    }

    private static int Show(PerplexityResult p, DivergenceResult? d, Reporter output)
    {
        output.Line(FormattableString.Invariant($"perplexity {p.Value:F4} +/- {p.Error:F4} over {p.Tokens} tokens"));
        if (d is not null)
        {
            output.Line(FormattableString.Invariant($"before: {d.Original.Value:F4}; divergence {d.MeanKl:F6} on average, {d.MaxKl:F6} at most; the same likeliest token at {100 * d.TopAgreement:F2} %"));
        }
        var document = new JsonObject { ["perplexity"] = Reporter.Number(p.Value), ["error"] = Reporter.Number(p.Error), ["nll"] = Reporter.Number(p.Nll), ["tokens"] = p.Tokens, ["running"] = Reporter.Numbers(p.Running) };
        if (d is not null)
        {
            (document["perplexity_before"], document["mean_kl"], document["max_kl"], document["top_agreement"]) = (Reporter.Number(d.Original.Value), Reporter.Number(d.MeanKl), Reporter.Number(d.MaxKl), Reporter.Number(d.TopAgreement));
        }
        output.Document(document);
        return 0;
    }
}
