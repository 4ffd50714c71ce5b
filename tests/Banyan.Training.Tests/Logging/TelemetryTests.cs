using Banyan.Testing;
using Banyan.Training.Tests.Pretraining;
using Microsoft.Extensions.Logging;

namespace Banyan.Training.Tests.Logging;

/// <summary>What a run tells an application that embeds it.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public void Run_logs_its_start_evaluations_checkpoints_and_end()
    {
        using var run = new TinyRun();
        var logger = new CollectingLogger();
        PretrainResult result = Training.Pretraining.Run(run.Options("run"), logger: logger);
        // Evaluations every 4, checkpoints every 5 of 12 steps, both at the end.
        Assert.Equal(["Started", "Evaluated", "CheckpointWritten", "Evaluated", "CheckpointWritten", "Evaluated", "CheckpointWritten", "Ended"], logger.Events);
        CollectingLogger.Entry end = logger.Entries.Last();
        Assert.Equal((LogLevel.Information, 12L, true), (end.Level, (long)end.Values["Step"]!, (bool)end.Values["IsComplete"]!));
        Assert.Contains(result.Model, end.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Resumed_run_says_from_where()
    {
        using var run = new TinyRun();
        Training.Pretraining.Run(run.Options("run", steps: 5));
        var logger = new CollectingLogger();
        Training.Pretraining.Run(run.Options("run", steps: 6, resume: true), logger: logger);
        Assert.Equal("Resumed", logger.Events.First());
        Assert.Contains("checkpoint-5", logger.Entries.First().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Guard_is_a_warning_and_its_stop_an_error()
    {
        using var run = new TinyRun();
        using var metrics = new Measurements("Banyan.Training", "banyan.training.run", run.Folder("wild"));
        PretrainOptions wild = run.Options("wild", steps: 200, extra: ", \"guard\": { \"action\": \"stop\", \"spike\": 1.05 }");
        wild = wild with { Optimizer = wild.Optimizer with { LearningRate = 30 }, Schedule = wild.Schedule with { Warmup = 100 } };
        var logger = new CollectingLogger();
        Assert.Throws<TrainingStoppedException>(() => Training.Pretraining.Run(wild, logger: logger));
        Assert.Equal([(LogLevel.Warning, "GuardTripped"), (LogLevel.Error, "StoppedByGuard")], logger.Entries.TakeLast(2).Select(e => (e.Level, e.Event)));
        Assert.Equal([1], metrics.Of("banyan.training.guard.trips"));
    }

    [Fact]
    public void Every_step_is_measured()
    {
        using var run = new TinyRun();
        using var metrics = new Measurements("Banyan.Training", "banyan.training.run", run.Folder("run"));
        PretrainResult result = Training.Pretraining.Run(run.Options("run"));
        Assert.Equal(result.TrainCurve.Select(c => c.Loss), metrics.Of("banyan.training.loss"));
        Assert.Equal(result.ValidationCurve.Select(c => c.Loss), metrics.Of("banyan.training.validation.loss"));
        foreach ((string name, string unit) in new[]
        {
            ("banyan.training.learning_rate", "1"), ("banyan.training.gradient.norm", "1"), ("banyan.training.tokens", "{token}"), ("banyan.training.throughput", "{token}/s"),
            ("banyan.training.step.duration", "s"), ("banyan.training.memory.usage", "By"),
        })
        {
            double[] values = metrics.Of(name);
            Assert.True(values.Length == 12 && values.All(v => v >= 0) && values[^1] > 0, $"{name}: {string.Join(' ', values)}");
            Assert.Equal(unit, metrics.UnitOf(name));
        }
    }
}
