using System.Globalization;

namespace Banyan.Training;

/// <summary>The page of a training run.</summary>
public static class PretrainReport
{
    /// <summary>Figures, loss curve and samples of a run.</summary>
    /// <param name="options">The recipe.</param>
    /// <param name="result">What came out.</param>
    /// <param name="samples">Samples in the order in which they were written.</param>
    /// <param name="title">The title; null: the run's folder.</param>
    /// <param name="lines">Yardsticks in the chart.</param>
    public static HtmlReport Page(PretrainOptions options, PretrainResult result, IReadOnlyList<PretrainProgress.Sampled> samples, string? title = null,
        IReadOnlyList<(string Name, string Color, double Value)>? lines = null)
    {
        HtmlReport page = new HtmlReport(title ?? $"Pretraining: {options.Run.Dir}")
            .Chart([("training loss", "#7aa6c2", result.TrainCurve), ("held-out loss", "#c0392b", result.ValidationCurve)], lines ?? [])
            .Table(["", ""], ["steps", Whole(result.Steps)], ["training loss (running mean)", Number(result.TrainLoss, "F4")], ["held-out loss", Number(result.ValidationLoss, "F4")],
                ["tokens per second", Number(result.TokensPerSecond, "F0")], ["share of the FMA peak (6 N tokens/s)", Number(100 * result.PeakShare, "F0") + " %"],
                ["FMA peak of this machine", Number(result.PeakGflops, "F0") + " GFLOP/s"], ["peak memory of the process", Number(result.PeakRssMib, "F0") + " MiB"],
                ["seconds", Number(result.Seconds, "F0")]);
        if (samples.Count > 0)
        {
            page.Heading("Samples");
            foreach (IGrouping<string, PretrainProgress.Sampled> prompt in samples.GroupBy(s => s.Prompt))
            {
                page.SideBySide([.. new[] { prompt.First(), prompt.Last() }.Distinct().Select(s => ($"step {s.Step}", s.Prompt + s.Text))]);
            }
        }
        return page;
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);
}
