using Banyan.Training;

namespace Banyan.Cli.Output;

/// <summary>Shows a training run while it goes on.</summary>
internal sealed class PretrainConsole(Reporter output) : IProgress<PretrainProgress>, IDisposable
{
    private ProgressLine? _bar;

    /// <summary>The samples so far.</summary>
    public List<PretrainProgress.Sampled> Samples { get; } = [];

    public void Report(PretrainProgress value)
    {
        switch (value)
        {
            case PretrainProgress.StepDone s:
                _bar ??= output.Progress("step", s.Steps);
                _bar.Report(s.Step, FormattableString.Invariant($"loss {s.Loss:F3}  lr {s.LearningRate:E1}  |g| {s.GradientNorm:F2}  {s.TokensPerSecond:F0} tok/s  {100 * s.PeakShare:F0}% of peak"));
                break;
            case PretrainProgress.Evaluated e:
                Note(FormattableString.Invariant($"step {e.Step}: held-out loss {e.Loss:F4}{(e.IsBest ? " (best)" : "")}"));
                break;
            case PretrainProgress.Sampled s:
                Samples.Add(s);
                Note($"step {s.Step}: {s.Prompt}|{s.Text}");
                break;
            case PretrainProgress.Message m:
                Note(m.Text);
                break;
        }
    }

    public void Break() => _bar?.Break();

    public void Dispose() => _bar?.Dispose();

    private void Note(string text)
    {
        Break();
        output.Note(text);
    }
}
