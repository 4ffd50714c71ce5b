using Banyan.Checkpoints;
using Banyan.Data.Batches;
using Banyan.Data.Corpora;
using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Training.Tests.Pretraining;

/// <summary>Runs alone: it counts the allocations of the whole process.</summary>
[CollectionDefinition(nameof(StepMemoryTests), DisableParallelization = true)]
public sealed class AloneCollection;

[Collection(nameof(StepMemoryTests))]
public sealed class StepMemoryTests
{
    private const string Config = """{ "model_type": "llama", "num_hidden_layers": 3, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 300, "max_position_embeddings": 128 }""";

    [Fact]
    public void Step_allocates_no_native_memory_and_little_managed()
    {
        (CausalLanguageModel model, TrainingBatch batch) = Make();
        model.Initialize(1);
        using var step = new LanguageModelStep(model, new AdamW(ParameterGroup.DecayMatrices(model, 0.1)));
        TrainingBatch[] batches = [batch];
        for (int i = 0; i < 5; i++)
        {
            step.Run(batches, 1e-3);
        }
        long native = Memory.NativePages.Allocations, managed = GC.GetTotalAllocatedBytes(precise: true);
        int collections = GC.CollectionCount(2);
        const int Steps = 10;
        for (int i = 0; i < Steps; i++)
        {
            step.Run(batches, 1e-3);
        }
        Assert.Equal(native, Memory.NativePages.Allocations);
        Assert.Equal(collections, GC.CollectionCount(2));
        long each = (GC.GetTotalAllocatedBytes(precise: true) - managed) / Steps;
        Assert.True(each <= 64 << 10, $"a step allocates {each} managed bytes; allowed 65536");
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Forecast_is_within_a_tenth_of_what_is_measured(bool checkpointing)
    {
        (CausalLanguageModel model, TrainingBatch batch) = Make();
        PretrainOptions options = PretrainOptions.Read(ConfigReader.Parse("""{ "model": {}, "data": { "train": "x" } }"""u8, "test"));
        options = options with { Train = options.Train with { CheckpointActivations = checkpointing } };
        TrainingForecast forecast = TrainingForecast.Of(model, batch, options);
        (model, _) = Make();
        model.Initialize(1);
        var optimizer = new AdamW(ParameterGroup.DecayMatrices(model, 0.1));
        using var step = new LanguageModelStep(model, optimizer, new TrainingStepOptions { CheckpointActivations = checkpointing });
        step.Run([batch], 1e-3);
        long measured = step.PeakBytes, states = optimizer.StateTensors.Values.Sum(t => t.DType.ByteCount(t.Count));
        Assert.InRange(forecast.ActivationBytes, 0.9 * measured, 1.1 * measured);
        Assert.InRange(forecast.OptimizerBytes, 0.9 * states, 1.1 * states);
    }

    private static (CausalLanguageModel Model, TrainingBatch Batch) Make()
    {
        var model = (CausalLanguageModel)ModelRegistry.Default.Create(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(Config), "test"));
        int[] ids = [.. Enumerable.Range(0, 2000).Select(i => i * 37 % 300)];
        return (model, new TokenBatches(new StreamBlocks(TokenCorpus.From([ids]), 64, shuffle: false), 0, 4).Get(0));
    }
}
