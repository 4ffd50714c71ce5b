using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>Runs alone: it counts the allocations of the whole process.</summary>
[CollectionDefinition(nameof(TokenMemoryTests), DisableParallelization = true)]
public sealed class AloneCollection;

/// <summary>A generated token allocates nothing, neither managed nor native.</summary>
[Collection(nameof(TokenMemoryTests))]
public sealed class TokenMemoryTests
{
    private const string Llama = """{ "model_type": "llama", "num_hidden_layers": 3, "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 128, "vocab_size": 300, "max_position_embeddings": 256 }""";
    private const string Gpt2 = """{ "model_type": "gpt2", "n_layer": 3, "n_embd": 64, "n_head": 4, "vocab_size": 300, "n_positions": 256 }""";

    private static readonly GenerationOptions s_greedy = new() { Temperature = 0, MaxNewTokens = 120, IgnoreEnd = true };
    private static readonly GenerationOptions s_sampled = s_greedy with { Temperature = 0.9, TopK = 50, TopP = 0.95, MinP = 0.001, RepetitionPenalty = 1.1, FrequencyPenalty = 0.1 };

    public static IEnumerable<object[]> Runs() =>
        from model in new[] { "llama", "gpt2" } from sampled in new[] { false, true } from batch in new[] { 1, 3 } select new object[] { model, sampled, batch };

    [Theory, MemberData(nameof(Runs))]
    public void Token_allocates_nothing(string model, bool sampled, int batch)
    {
        LanguageModel lm = Random(model == "llama" ? Llama : Gpt2);
        // Sequences of different lengths, so that the batch is ragged.
        int[][] prompts = [.. Enumerable.Range(0, batch).Select(i => Enumerable.Range(1, 5 + (3 * i)).ToArray())];
        Assert.Equal((0, 0), PerToken(lm, prompts, sampled ? s_sampled : s_greedy));
    }

    private static LanguageModel Random(string config)
    {
        var model = (CausalLanguageModel)ModelRegistry.Default.Create(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(config), "test"));
        model.Initialize(7);
        return new LanguageModel(model, endIds: []);
    }

    /// <summary>Managed bytes and native allocations of 60 steps after a warm-up of 30.</summary>
    private static (long Managed, long Native) PerToken(LanguageModel lm, int[][] prompts, GenerationOptions options)
    {
        using var run = new GenerationRun(lm, prompts, options, pool: null);
        long tokens = 0;
        Action<GeneratedToken> count = _ => tokens++;
        for (int i = 0; i < 30; i++)
        {
            run.Step(count);
        }
        tokens = 0;
        long native = Memory.NativePages.Allocations, managed = GC.GetTotalAllocatedBytes(precise: true);
        const int Steps = 60;
        for (int i = 0; i < Steps; i++)
        {
            run.Step(count);
        }
        managed = GC.GetTotalAllocatedBytes(precise: true) - managed;
        Assert.Equal(Steps * prompts.Length, tokens);
        return (managed, Memory.NativePages.Allocations - native);
    }
}
