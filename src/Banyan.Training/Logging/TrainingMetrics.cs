using System.Diagnostics.Metrics;
using Banyan.Memory;

namespace Banyan.Training.Logging;

/// <summary>
/// The numbers of a run as instruments of the meter <c>Banyan.Training</c>, for OpenTelemetry, <c>dotnet-counters</c> or a
/// <see cref="MeterListener"/>. Each carries the run's folder as the attribute <c>banyan.training.run</c>; without a listener they cost nothing.
/// </summary>
internal sealed class TrainingMetrics(string run)
{
    private static readonly Meter s_meter = new("Banyan.Training");

    private static readonly Gauge<double> s_loss = s_meter.CreateGauge<double>("banyan.training.loss", "{nat}/{token}", "Training loss of the last step.");
    private static readonly Gauge<double> s_heldOut = s_meter.CreateGauge<double>("banyan.training.validation.loss", "{nat}/{token}", "Held-out loss of the last evaluation.");
    private static readonly Gauge<double> s_rate = s_meter.CreateGauge<double>("banyan.training.learning_rate", "1", "Learning rate of the last step.");
    private static readonly Gauge<double> s_norm = s_meter.CreateGauge<double>("banyan.training.gradient.norm", "1", "2-norm of all gradients of the last step, before clipping.");
    private static readonly Gauge<double> s_speed = s_meter.CreateGauge<double>("banyan.training.throughput", "{token}/s", "Tokens per second over the steps of this process.");
    private static readonly Gauge<long> s_memory = s_meter.CreateGauge<long>("banyan.training.memory.usage", "By", "Native memory that Banyan holds.");
    private static readonly Counter<long> s_tokens = s_meter.CreateCounter<long>("banyan.training.tokens", "{token}", "Tokens trained on.");
    private static readonly Counter<long> s_troubles = s_meter.CreateCounter<long>("banyan.training.guard.trips", "{step}", "Steps that the guard found bad.");
    private static readonly Histogram<double> s_duration = s_meter.CreateHistogram<double>("banyan.training.step.duration", "s", "Duration of a step.");

    private readonly KeyValuePair<string, object?> _run = new("banyan.training.run", run);

    public void Step(in StepResult result, double rate, double seconds, double tokensPerSecond)
    {
        s_loss.Record(result.Loss, _run);
        s_rate.Record(rate, _run);
        s_norm.Record(result.GradientNorm, _run);
        s_tokens.Add(result.Tokens, _run);
        s_speed.Record(tokensPerSecond, _run);
        s_duration.Record(seconds, _run);
        s_memory.Record(MemoryPool.ProcessBytes, _run);
    }

    public void Evaluated(double loss) => s_heldOut.Record(loss, _run);

    public void GuardTripped() => s_troubles.Add(1, _run);
}
