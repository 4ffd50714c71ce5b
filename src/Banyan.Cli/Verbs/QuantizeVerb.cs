using System.Diagnostics;
using System.Text.Json.Nodes;
using Banyan.Checkpoints;
using Banyan.Cli.Options;
using Banyan.Cli.Output;
using Banyan.Inference;
using Banyan.Training;

namespace Banyan.Cli.Verbs;

/// <summary>Makes a model small.</summary>
internal sealed class QuantizeVerb : Verb
{
    private const int Worst = 8;

    public override string Name => "quantize";

    public override string Summary => "Writes a model as a GGUF file of a few bits for each weight, and says what that did to it.";

    public override string Example => "quantize runs/quickstart/model --to q4_k_m --out model-q4_k_m.gguf --file corpus.txt";

    public override IReadOnlyList<string> Arguments => ["model"];

    public override IReadOnlyList<Setting> Settings =>
    [
        new("to", "The mixture of types: q8_0, q6_k, q5_k_m, q4_k_m, q4_0, q3_k_m, q2_k ...", SettingKind.Text), new("out", "The file to write.", SettingKind.Text),
        new("text", "A text on which both models are compared.", SettingKind.Text), new("file", "A file with the text.", SettingKind.Text), new("ids", "The text as token ids: 1,2,3.", SettingKind.Text),
        new("context", "Tokens of a chunk of the text (512)."), new("chunks", "The most chunks; 0: all (8)."), new("report", "A page with table and picture to write (OUT with .html).", SettingKind.Text),
        new("strict", "Refuse a file that is not UTF-8.", SettingKind.Flag),
    ];

    public override int Run(SettingReader s, Reporter output, CancellationToken stop)
    {
        string source = s.Text("model"), path = s.Text("out"), mix = s.Text("to");
        if (!GgufExport.Mixes.Contains(mix, StringComparer.OrdinalIgnoreCase))
        {
            throw new UsageException($"to: {mix} is no mixture; expected one of {string.Join(", ", GgufExport.Mixes)}{NearestName.Hint(mix, [.. GgufExport.Mixes])}");
        }
        if (!path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
        {
            throw new UsageException($"out: {path} is no name of a GGUF file; expected NAME.gguf");
        }
        var clock = Stopwatch.StartNew();
        ProgressLine? line = null;
        using ComputePool? pool = s.Threads > 0 ? new ComputePool(s.Threads) : null;
        QuantizationResult result;
        try
        {
            using ComputePool.Usage use = (pool ?? ComputePool.Shared).Use();
            Func<LanguageModel, LanguageModel, DivergenceResult>? measure = s.Has("text") || s.Has("file") || s.Has("ids") ? (after, before) => Measure(s, after, before, pool, stop) : null;
            result = ModelQuantizer.Run(source, mix, path, measure, new Told<(long Done, long Total)>(p => (line ??= output.Progress("writing", p.Total)).Report(p.Done, "bytes")), stop);
        }
        finally
        {
            line?.Dispose();
        }
        string page = s.Text("report", Path.ChangeExtension(path, ".html"));
        File.WriteAllText(page, Report(result, mix).ToString());
        Show(result, clock.Elapsed.TotalSeconds, page, output);
        return 0;
    }

    private static DivergenceResult Measure(SettingReader s, LanguageModel after, LanguageModel before, ComputePool? pool, CancellationToken stop)
    {
        int[] ids = s.Has("ids") ? IdList.Parse(s.Text("ids")) : after.Tokenizer.EncodeToIds(InputText.Read(s));
        int context = s.Int("context", Math.Min(Math.Min(512, after.Model.MaxPositions), Math.Max(4, ids.Length)), 4, after.Model.MaxPositions);
        return SettingReader.Usage(() => after.Divergence(before, ids, context, after.BeginId(ids), s.Int("chunks", 8, 0), pool, cancellationToken: stop));
    }

    private static IEnumerable<QuantizedTensor> WorstOf(QuantizationResult r) => r.Tensors.OrderByDescending(t => t.Error).Take(Worst);

    private static void Show(QuantizationResult r, double seconds, string page, Reporter output)
    {
        output.Line(FormattableString.Invariant($"{r.Bytes / 1048576.0:F1} MiB ({r.BytesBefore / 1048576.0:F1} before), {r.BitsPerWeight:F2} bits per weight, {seconds:F1} s: {r.Path}"));
        if (r.Divergence is { } d)
        {
            output.Line(FormattableString.Invariant($"perplexity {d.Changed.Value:F4} ({d.Original.Value:F4} before), divergence {d.MeanKl:F5}, the same likeliest token at {100 * d.TopAgreement:F1} %"));
        }
        output.Line("worst tensors (error of their size):");
        foreach (QuantizedTensor t in WorstOf(r))
        {
            output.Line(FormattableString.Invariant($"  {t.Name,-40} {t.Type,-6} {100 * t.Error:F2} %"));
        }
        output.Line($"report: {page}");
        output.Document(new JsonObject
        {
            ["path"] = r.Path, ["bytes"] = r.Bytes, ["bytes_before"] = r.BytesBefore, ["bits_per_weight"] = r.BitsPerWeight, ["seconds"] = seconds, ["report"] = page,
            ["perplexity"] = r.Divergence is { } a ? Reporter.Number(a.Changed.Value) : null, ["perplexity_before"] = r.Divergence is { } b ? Reporter.Number(b.Original.Value) : null,
            ["mean_kl"] = r.Divergence is { } c ? Reporter.Number(c.MeanKl) : null, ["top_agreement"] = r.Divergence is { } e ? Reporter.Number(e.TopAgreement) : null,
            ["tensors"] = new JsonArray([.. r.Tensors.Select(t => (JsonNode)new JsonObject { ["name"] = t.Name, ["type"] = t.Type, ["error"] = t.Error })]),
        });
    }

    private static HtmlReport Report(QuantizationResult r, string mix)
    {
        HtmlReport page = new HtmlReport($"{Path.GetFileName(r.Path)}: {mix}").Table(["", "before", "now"],
            ["size", FormattableString.Invariant($"{r.BytesBefore / 1048576.0:F1} MiB"), FormattableString.Invariant($"{r.Bytes / 1048576.0:F1} MiB")],
            ["bits per weight", FormattableString.Invariant($"{8.0 * r.BytesBefore / r.Parameters:F2}"), FormattableString.Invariant($"{r.BitsPerWeight:F2}")]);
        if (r.Divergence is { } d)
        {
            page.Table(["on the text", "before", "now"], ["perplexity", FormattableString.Invariant($"{d.Original.Value:F4}"), FormattableString.Invariant($"{d.Changed.Value:F4}")],
                ["divergence, mean and largest", "", FormattableString.Invariant($"{d.MeanKl:F5}, {d.MaxKl:F5}")], ["same likeliest token", "", FormattableString.Invariant($"{100 * d.TopAgreement:F1} %")]);
        }
        return page.Heading("Error of each tensor").Bars([.. r.Tensors.Select(t => ($"{t.Name} ({t.Type})", t.Error, FormattableString.Invariant($"{100 * t.Error:F2} %")))]);
    }
}
