using Banyan.Training;
using Banyan.Training.Stories;

namespace Banyan.Cli.Output;

/// <summary>The page of a quickstart: the training report with the yardsticks.</summary>
internal static class QuickstartReport
{
    public static HtmlReport Page(PretrainOptions recipe, PretrainResult result, IReadOnlyList<PretrainProgress.Sampled> samples, StoryYardsticks y, double loss, double answers) =>
        PretrainReport.Page(recipe, result, samples, "Banyan quickstart",
                [("unigram", "#999999", y.UnigramLoss), ("trigram", "#e08e0b", y.TrigramLoss), ("floor", "#2e8b57", y.FloorLoss)])
            .Heading("Yardsticks")
            .Text("Nats per predicted token on stories that training never shows: their combinations of names, things and places are new. "
                + "The floor is the exact entropy of the generator's choices; the n-gram models counted the same training tokens.")
            .Table(["model", "held-out loss"], ["unigram", F(y.UnigramLoss)], ["modified Kneser-Ney trigram", F(y.TrigramLoss)], ["this model", F(loss)], ["floor", F(y.FloorLoss)],
                ["share of the way from trigram to floor", FormattableString.Invariant($"{100 * y.Closed(loss):F0} %")])
            .Table(["questions about the story", "answered exactly"], ["best guess without the story", FormattableString.Invariant($"{100 * y.BlindAccuracy:F1} %")],
                ["this model", FormattableString.Invariant($"{100 * answers:F1} %")]);

    private static string F(double value) => FormattableString.Invariant($"{value:F4}");
}
