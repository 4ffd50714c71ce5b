using Banyan.Training.Logging;

namespace Banyan.Training;

/// <summary>A run's numbers: JSON lines always, TensorBoard where wanted, and the curves of the report.</summary>
internal sealed class RunLogs : IDisposable
{
    private readonly MetricsLog _lines;
    private readonly TensorBoardWriter? _board;

    public RunLogs(RunOptions run, long? resumedStep)
    {
        _lines = MetricsLog.Open(Path.Combine(run.Dir, "metrics.jsonl"), resumedStep);
        _board = run.TensorBoard ? TensorBoardWriter.Create(Path.Combine(run.Dir, "tensorboard"), resumedStep + 1) : null;
    }

    public List<(long Step, double Loss)> Train { get; } = [];

    public List<(long Step, double Loss)> Validation { get; } = [];

    public void Write(long step, params ReadOnlySpan<(string Name, double Value)> values)
    {
        _lines.Write(step, values);
        foreach ((string name, double value) in values)
        {
            _board?.AddScalar(name, value, step);
            (name switch { "train/loss" => Train, "eval/loss" => Validation, _ => null })?.Add((step, value));
        }
    }

    public void WriteText(string tag, string text, long step) => _board?.AddText(tag, text, step);

    public void Dispose()
    {
        _lines.Dispose();
        _board?.Dispose();
    }
}
