using Banyan.Checkpoints;

namespace Banyan.Training.Tests.Pretraining;

public sealed class PretrainingTests
{
    [Fact]
    public void Loss_falls_and_the_folder_holds_a_model()
    {
        using var run = new TinyRun();
        PretrainResult result = Training.Pretraining.Run(run.Options("a", steps: 40));
        Assert.True(result.Completed);
        Assert.Equal(40, result.Steps);
        Assert.True(result.TrainCurve[^1].Loss < 0.7 * result.TrainCurve[0].Loss, $"the loss went from {result.TrainCurve[0].Loss} to {result.TrainCurve[^1].Loss}");
        foreach (string file in new[] { "config.json", "model.safetensors", "tokenizer.json" })
        {
            Assert.True(File.Exists(Path.Combine(result.Model, file)), file);
        }
        Assert.Equal(40, File.ReadLines(Path.Combine(result.Run, "metrics.jsonl")).Count(l => l.Contains("train/loss", StringComparison.Ordinal)));
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(result.Run, "tensorboard")));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(7)]
    public void Any_number_of_threads_gives_the_same_bits(int threads)
    {
        using var run = new TinyRun();
        Assert.Equal(TinyRun.Hash(Training.Pretraining.Run(run.Options("reference"))), TinyRun.Hash(Training.Pretraining.Run(run.Options("other", threads: threads))));
    }

    [Fact]
    public void Resumed_run_has_the_bits_of_an_uninterrupted_one()
    {
        using var run = new TinyRun();
        string expected = TinyRun.Hash(Training.Pretraining.Run(run.Options("whole")));
        using var stop = new CancellationTokenSource();
        PretrainResult first = Training.Pretraining.Run(run.Options("parts"), new StopAt(7, stop), stop.Token);
        Assert.False(first.Completed);
        Assert.Equal(7, first.Steps);
        PretrainResult second = Training.Pretraining.Run(run.Options("parts", resume: true));
        Assert.True(second.Completed);
        Assert.Equal(expected, TinyRun.Hash(second));
        Assert.Equal(12, File.ReadLines(Path.Combine(second.Run, "metrics.jsonl")).Count(l => l.Contains("train/loss", StringComparison.Ordinal)));
    }

    [Fact]
    public void Damaged_checkpoint_is_named_and_the_one_before_is_used()
    {
        using var run = new TinyRun();
        PretrainResult whole = Training.Pretraining.Run(run.Options("run"));
        string expected = TinyRun.Hash(whole), newest = Path.Combine(whole.Run, "checkpoint-12", "model.safetensors");
        byte[] bytes = File.ReadAllBytes(newest);
        bytes[^9] ^= 4;
        File.WriteAllBytes(newest, bytes);
        var messages = new Messages();
        PretrainResult again = Training.Pretraining.Run(run.Options("run", resume: true), messages);
        Assert.Contains(messages.Texts, m => m.Contains("checkpoint-12", StringComparison.Ordinal) && m.Contains("model.safetensors", StringComparison.Ordinal));
        Assert.Contains(messages.Texts, m => m.Contains("resumed at step 10", StringComparison.Ordinal));
        Assert.Equal(expected, TinyRun.Hash(again));
    }

    [Fact]
    public void Folder_with_a_run_is_not_overwritten()
    {
        using var run = new TinyRun();
        Training.Pretraining.Run(run.Options("run", steps: 2));
        CheckpointException e = Assert.Throws<CheckpointException>(() => Training.Pretraining.Run(run.Options("run", steps: 2)));
        Assert.Contains("run.resume=true", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_options_cannot_resume_a_run()
    {
        using var run = new TinyRun();
        Training.Pretraining.Run(run.Options("run", steps: 2));
        PretrainOptions other = run.Options("run", steps: 4, resume: true);
        Assert.Throws<CheckpointException>(() => Training.Pretraining.Run(other with { Seed = 4 }));
    }

    [Fact]
    public void Exploding_run_is_stopped_or_rolled_back()
    {
        using var run = new TinyRun();
        PretrainOptions wild = run.Options("stop", steps: 200, extra: ", \"guard\": { \"action\": \"stop\", \"spike\": 1.05 }");
        wild = wild with { Optimizer = wild.Optimizer with { LearningRate = 30 }, Schedule = wild.Schedule with { Warmup = 100 } };
        Assert.Throws<TrainingStoppedException>(() => Training.Pretraining.Run(wild));

        PretrainOptions back = run.Options("back", steps: 60, extra: ", \"guard\": { \"action\": \"rollback\", \"spike\": 0.9 }");
        var messages = new Messages();
        PretrainResult result = Training.Pretraining.Run(back with { Optimizer = back.Optimizer with { LearningRate = 0.03 } }, messages);
        Assert.Equal(60, result.Steps);
        Assert.Contains(messages.Texts, m => m.Contains("rolled back", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"train\": { \"stpes\": 3 }", "train.steps")]
    [InlineData("\"train\": { \"batch\": 0 }", "train.batch")]
    [InlineData("\"optimizer\": { \"type\": \"adam3\" }", "optimizer.type")]
    public void Wrong_recipe_names_the_key(string section, string key)
    {
        ConfigReader c = ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes($$"""{ "model": {}, "data": { "train": "x.txt" }, {{section}} }"""), "recipe.yaml");
        Assert.Contains(key, Assert.Throws<CheckpointException>(() => PretrainOptions.Read(c)).Message, StringComparison.Ordinal);
    }

    private sealed class StopAt(long step, CancellationTokenSource stop) : IProgress<PretrainProgress>
    {
        public void Report(PretrainProgress value)
        {
            if (value is PretrainProgress.StepDone done && done.Step == step)
            {
                stop.Cancel();
            }
        }
    }

    private sealed class Messages : IProgress<PretrainProgress>
    {
        public List<string> Texts { get; } = [];

        public void Report(PretrainProgress value)
        {
            if (value is PretrainProgress.Message m)
            {
                Texts.Add(m.Text);
            }
        }
    }
}
