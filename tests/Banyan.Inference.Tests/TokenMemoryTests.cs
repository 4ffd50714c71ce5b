using Banyan.Checkpoints;
using Banyan.Models;
using Banyan.Nn;
using Banyan.Quant;
using Banyan.Tokenizers;

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

    private const int RoundSteps = 15;

    private static readonly GenerationOptions s_greedy = new() { Temperature = 0, MaxNewTokens = 120, IgnoreEnd = true };
    private static readonly GenerationOptions s_sampled = s_greedy with { Temperature = 0.9, TopK = 50, TopP = 0.95, MinP = 0.001, RepetitionPenalty = 1.1, FrequencyPenalty = 0.1 };

    public static IEnumerable<object[]> Runs() =>
        from model in new[] { "llama", "gpt2", "llama in blocks" } from sampled in new[] { false, true } from batch in new[] { 1, 3 } select new object[] { model, sampled, batch };

    [Theory, MemberData(nameof(Runs))]
    public void Token_allocates_nothing(string model, bool sampled, int batch)
    {
        LanguageModel lm = Random(model == "gpt2" ? Gpt2 : Llama);
        foreach ((_, Parameter p) in model == "llama in blocks" ? lm.Model.NamedParameters().Where(p => p.Parameter.AcceptsBlocks) : [])
        {
            Tensor blocks = Tensor.Zeros(p.Shape, BlockFormats.FromName("Q4_0")!.DType);
            blocks.CopyFrom(p.Value.Detach());
            p.Value = blocks;
        }
        // Sequences of different lengths, so that the batch is ragged.
        int[][] prompts = [.. Enumerable.Range(0, batch).Select(i => Enumerable.Range(1, 5 + (3 * i)).ToArray())];
        Assert.Equal((0, 0), PerRound(lm, prompts, sampled ? s_sampled : s_greedy));
    }

    /// <summary>With a byte-level tokenizer, nothing but the text that a token is given out as: a string of its characters.</summary>
    [Fact]
    public void Token_with_text_allocates_its_text()
    {
        var tokenizer = Tokenizer.TrainByteLevel(["the cat saw a red dog near my old house"], 270);
        LanguageModel lm = new(Random(Gpt2).Model, tokenizer, endIds: []);
        (long managed, long native) = PerRound(lm, [[1, 2, 3]], s_sampled);
        Assert.Equal(0, native);
        Assert.InRange(managed, 0, RoundSteps * 64);
    }

    private static LanguageModel Random(string config)
    {
        var model = (CausalLanguageModel)ModelRegistry.Default.Create(ConfigReader.Parse(System.Text.Encoding.UTF8.GetBytes(config), "test"));
        model.Initialize(7);
        return new LanguageModel(model, endIds: []);
    }

    /// <summary>
    /// Managed bytes and native allocations of 15 steps after a warm-up of 30: the least of five rounds, since other threads of the process (the
    /// test runner's) allocate at times, while a token that allocates does so in every round.
    /// </summary>
    private static (long Managed, long Native) PerRound(LanguageModel lm, int[][] prompts, GenerationOptions options)
    {
        using var run = new GenerationRun(lm, prompts, options, pool: null);
        long tokens = 0;
        Action<GeneratedToken> count = _ => tokens++;
        Steps(run, 30, count);
        (long Managed, long Native) least = (long.MaxValue, long.MaxValue);
        for (int round = 0; round < 5; round++)
        {
            long native = Memory.NativePages.Allocations, managed = GC.GetTotalAllocatedBytes(precise: true);
            Steps(run, RoundSteps, count);
            managed = GC.GetTotalAllocatedBytes(precise: true) - managed;
            least = (Math.Min(least.Managed, managed), Math.Min(least.Native, Memory.NativePages.Allocations - native));
        }
        Assert.Equal((30 + (5 * RoundSteps)) * prompts.Length, tokens);
        return least;
    }

    private static void Steps(GenerationRun run, int steps, Action<GeneratedToken> onToken)
    {
        for (int i = 0; i < steps; i++)
        {
            run.Step(onToken);
        }
    }
}
