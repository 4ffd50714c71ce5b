using Banyan.Checkpoints;
using Banyan.Data.Batches;
using Banyan.Data.Corpora;
using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Training.Tests.Pretraining;

public sealed class Bf16Tests
{
    private const string Config = """{ "model_type": "llama", "num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 96, "vocab_size": 61, "max_position_embeddings": 64 }""";

    private static (double[] Losses, float[] Weights) Train(bool bf16, int threads)
    {
        using var pool = new ComputePool(threads);
        var model = (CausalLanguageModel)ModelRegistry.Default.Create(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(Config), "config.json"));
        model.Initialize(1);
        var random = new Random(5);
        var batches = new TokenBatches(new StreamBlocks(TokenCorpus.From([Enumerable.Range(0, 4000).Select(i => (i * i + random.Next(3)) % 61).ToArray()]), 32, shuffle: false), 0, 4);
        using var step = new LanguageModelStep(model, new AdamW(ParameterGroup.DecayMatrices(model, 0.1)), new TrainingStepOptions { Bf16Products = bf16 }, pool);
        double[] losses = [.. Enumerable.Range(0, 25).Select(i => step.Run([batches.Get(i)], 3e-3).Loss)];
        return (losses, model.TrainableParameters().First().Value.ToArray<float>());
    }

    [Fact]
    public void The_loss_follows_that_of_float32_within_a_percent()
    {
        double[] exact = Train(bf16: false, 2).Losses, rounded = Train(bf16: true, 2).Losses;
        Assert.NotEqual(exact[^1], rounded[^1]);
        Assert.True(exact[^1] < 0.9 * exact[0], "the model does not learn");
        Assert.All(exact.Zip(rounded), l => Assert.InRange(l.Second, 0.99 * l.First, 1.01 * l.First));
    }

    [Fact]
    public void The_weights_are_the_same_for_any_thread_count() => Assert.Equal(Train(bf16: true, 1).Weights, Train(bf16: true, 3).Weights);
}
