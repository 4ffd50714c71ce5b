using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Banyan.Checkpoints;
using Banyan.Data.Batches;
using Banyan.Data.Corpora;
using Banyan.Inference;
using Banyan.Memory;
using Banyan.Models;
using Banyan.Nn;
using Banyan.Testing;

namespace Banyan.Training.Tests.Pretraining;

/// <summary>Native memory comes back: what a loop took is free again when the loop is over.</summary>
[Collection(nameof(StepMemoryTests))]
public sealed class LeakTests : IDisposable
{
    private const string Config = """{ "model_type": "llama", "num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": 100, "max_position_embeddings": 256 }""";

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Training_200_steps_leaves_nothing() => ReturnsToItsStart(() => Train(200));

    [Fact]
    public void Generating_200_tokens_leaves_nothing() => ReturnsToItsStart(() => Generate(Make(), 200));

    [Fact]
    public void Opening_a_model_20_times_leaves_nothing()
    {
        Make().Save(_folder["model"]);
        ReturnsToItsStart(() =>
        {
            for (int i = 0; i < 20; i++)
            {
                // Once mapped, once as a copy.
                Generate((CausalLanguageModel)ModelFiles.Load(_folder["model"], trainable: i % 2 == 0), 2);
            }
        });
    }

    [Fact]
    public void Forgotten_scope_is_reported_and_freed()
    {
        long leaks = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name == "banyan.scope.leaks")
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, n, _, _) => Interlocked.Add(ref leaks, n));
        listener.Start();
        using var warnings = new StringWriter();
        using var trace = new TextWriterTraceListener(warnings);
        Trace.Listeners.Add(trace);
        Collect();
        long before = MemoryPool.ProcessBytes;
        Forget();
        Collect();
        Trace.Listeners.Remove(trace);
        trace.Flush();
        Assert.Equal(before, MemoryPool.ProcessBytes);
        Assert.Equal(1, Interlocked.Read(ref leaks));
        Assert.Contains("without Dispose", warnings.ToString(), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static void ReturnsToItsStart(Action work)
    {
        work(); // the pool's scratch grows once
        Collect();
        long before = MemoryPool.ProcessBytes;
        work();
        Collect();
        Assert.Equal(before, MemoryPool.ProcessBytes);
    }

    // Tensors outside scopes are freed by their finalizers, and what these release by those of the next round.
    private static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget() => new Scope().Zeros([1000]);

    private static CausalLanguageModel Make()
    {
        var model = (CausalLanguageModel)ModelRegistry.Default.Create(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(Config), "test"));
        model.Initialize(1);
        return model;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Train(int steps)
    {
        CausalLanguageModel model = Make();
        int[] ids = [.. Enumerable.Range(0, 500).Select(i => i * 37 % 100)];
        TrainingBatch[] batch = [new TokenBatches(new StreamBlocks(TokenCorpus.From([ids]), 16, shuffle: false), 0, 2).Get(0)];
        using var step = new LanguageModelStep(model, new AdamW(ParameterGroup.DecayMatrices(model, 0.1)));
        for (int i = 0; i < steps; i++)
        {
            step.Run(batch, 1e-3);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Generate(CausalLanguageModel model, int tokens) =>
        new LanguageModel(model, endIds: []).Generate([[1, 2, 3]], new GenerationOptions { MaxNewTokens = tokens, IgnoreEnd = true });
}
