using System.Diagnostics;
using Banyan.Checkpoints;
using Banyan.Cpu;
using Banyan.Data.Batches;
using Banyan.Data.Corpora;
using Banyan.Models;
using Banyan.Nn;

namespace Banyan.Training;

/// <summary>Times whole AdamW steps of known sizes on one fixed batch, which the model learns by heart: the loss must fall.</summary>
/// <param name="Parameters">Number of weights.</param>
/// <param name="TokensPerSecond">By the median step.</param>
/// <param name="MillisecondsPerStep">The median step.</param>
/// <param name="FirstLoss">Before the first update.</param>
/// <param name="LastLoss">Of the last step.</param>
public sealed record StepBenchmark(long Parameters, double TokensPerSecond, double MillisecondsPerStep, double FirstLoss, double LastLoss)
{
    private const int WarmUpSteps = 3;

    /// <summary>GPT-2 with 124 million parameters.</summary>
    public const string Gpt2 = """{ "model_type": "gpt2", "n_layer": 12, "n_embd": 768, "n_head": 12, "vocab_size": 50257, "n_positions": 1024, "embd_pdrop": 0, "resid_pdrop": 0, "attn_pdrop": 0 }""";

    /// <summary>nanoGPT's model of characters with 10.8 million parameters.</summary>
    public const string Char = """{ "model_type": "gpt2", "n_layer": 6, "n_embd": 384, "n_head": 6, "vocab_size": 65, "n_positions": 256, "embd_pdrop": 0, "resid_pdrop": 0, "attn_pdrop": 0 }""";

    /// <summary>Runs steps.</summary>
    /// <param name="config">The text of a <c>config.json</c>.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="length">Tokens of a sequence.</param>
    /// <param name="steps">Steps that are measured, after three that are not.</param>
    /// <param name="threads">Threads that compute.</param>
    /// <param name="bf16">Whether the operands of matrix products are rounded to bfloat16.</param>
    /// <param name="cancellationToken">Stops between steps.</param>
    public static StepBenchmark Run(string config, int batch, int length, int steps, int threads, bool bf16 = false, CancellationToken cancellationToken = default)
    {
        using var pool = new ComputePool(threads);
        var model = (CausalLanguageModel)ModelRegistry.Default.Create(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(config), "bench"));
        if (length > model.MaxPositions)
        {
            throw new ArgumentException($"seq is {length}; expected at most {model.MaxPositions}, the model's positions");
        }
        model.Initialize(1);
        using var step = new LanguageModelStep(model, new AdamW(ParameterGroup.DecayMatrices(model, 0.01), 1e-4), new TrainingStepOptions { ClipNorm = 0, Bf16Products = bf16 }, pool);
        TrainingBatch fixedBatch = new TokenBatches(new StreamBlocks(Noise(batch * length * 2, model.VocabularySize), length, shuffle: false), 0, batch).Get(0);
        var times = new List<double>();
        double first = double.NaN, last = double.NaN;
        for (int i = 0; i < steps + WarmUpSteps; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var clock = Stopwatch.StartNew();
            last = step.Run([fixedBatch], 1e-4).Loss;
            first = double.IsNaN(first) ? last : first;
            if (i >= WarmUpSteps)
            {
                times.Add(clock.Elapsed.TotalSeconds);
            }
        }
        double median = times.Order().ElementAt(times.Count / 2);
        return new StepBenchmark(model.ParameterCount, batch * length / median, median * 1000, first, last);
    }

    private static TokenCorpus Noise(int count, int vocabulary)
    {
        var random = new CounterRandom(1, 1);
        var ids = new int[count];
        for (int i = 0; i < count; i++)
        {
            ids[i] = random.NextInt(vocabulary);
        }
        return TokenCorpus.From([ids]);
    }
}
