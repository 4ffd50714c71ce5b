using System.Text.Json;
using Banyan.Models;
using Banyan.Testing;

namespace Banyan.Inference.Tests;

/// <summary>Perplexity and divergence as llama.cpp and Hugging Face print them.</summary>
[Trait("Category", "Golden")]
public sealed class PerplexityGoldenTests
{
    [SkippableFact]
    public void Chunks_give_what_llama_cpp_prints()
    {
        JsonElement golden = Case();
        LanguageModel lm = Model("model-f32.gguf");
        PerplexityResult result = lm.Perplexity(Ids(golden), golden.GetProperty("n_ctx").GetInt32(), beginId: 1);
        double[] expected = [.. golden.GetProperty("recomputed_running_ppl").EnumerateArray().Select(v => v.GetDouble())];
        Assert.Equal(expected.Length, result.Running.Count);
        Assert.All(expected.Zip(result.Running), p => Assert.Equal(p.First, p.Second, p.First * 1e-5));
        Assert.Equal(golden.GetProperty("final_ppl").GetDouble(), result.Value, 0.005 * result.Value);
        Assert.Equal(golden.GetProperty("recomputed_error").GetDouble(), result.Error, 1e-4 * result.Error);
    }

    [SkippableFact]
    public void The_text_itself_gives_the_same_tokens()
    {
        JsonElement golden = Case();
        string text = File.ReadAllText(SharedFolder.Get("goldens", "convert", "perplexity", "text.txt"));
        Assert.Equal(Ids(golden), Model("model-f32.gguf").Tokenizer.EncodeToIds(text));
    }

    [SkippableTheory]
    [InlineData(WeightPrecision.Stored), InlineData(WeightPrecision.Float32)]
    public void Divergence_is_what_llama_cpp_prints(WeightPrecision precision)
    {
        JsonElement golden = Case(), statistics = golden.GetProperty("kl").GetProperty("statistics");
        DivergenceResult result = Model("model-q8_0.gguf", precision).Divergence(Model("model-f32.gguf"), Ids(golden), golden.GetProperty("n_ctx").GetInt32(), beginId: 1, chunks: 4);
        double One(string name, int i = 0) => statistics.GetProperty(name)[i].GetDouble();
        Assert.Equal(One("Mean PPL(base)"), result.Original.Value, 1e-4 * result.Original.Value);
        Assert.Equal(One("Mean PPL(Q)"), result.Changed.Value, 0.005 * result.Changed.Value);
        // llama.cpp rounds activations in its own blocks, so each divergence differs: the order of size and the agreement must be theirs.
        Assert.InRange(result.MeanKl, precision == WeightPrecision.Stored ? 0.5 * One("Mean KLD") : 1e-6, 1.5 * One("Mean KLD"));
        Assert.InRange(result.MaxKl, result.MeanKl, 3 * One("Maximum KLD"));
        Assert.Equal(One("Same top p"), 100 * result.TopAgreement, 3 * One("Same top p", 1));
    }

    [SkippableFact]
    public void A_model_does_not_diverge_from_itself()
    {
        JsonElement golden = Case();
        LanguageModel lm = Model("model-f32.gguf");
        DivergenceResult result = lm.Divergence(lm, Ids(golden), 64, chunks: 2);
        Assert.Equal((0, 0, 1), (result.MeanKl, result.MaxKl, result.TopAgreement));
    }

    [SkippableFact]
    public void Sliding_windows_give_what_transformers_gives()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(SharedFolder.Get("goldens", "metrics", "perplexity.json")));
        LanguageModel lm = LanguageModel.Load(SharedFolder.Get("goldens", "metrics", "gpt2"));
        int[] ids = [.. document.RootElement.GetProperty("input_ids").EnumerateArray().Select(v => v.GetInt32())];
        foreach (JsonElement row in document.RootElement.GetProperty("sliding").EnumerateArray())
        {
            PerplexityResult result = lm.SlidingPerplexity(ids, row.GetProperty("max_length").GetInt32(), row.GetProperty("stride").GetInt32());
            Assert.Equal(row.GetProperty("scored_tokens").GetInt64(), result.Tokens);
            Assert.Equal(row.GetProperty("sum_nll_nats").GetDouble(), result.Nll * result.Tokens, 1e-4 * result.Nll * result.Tokens);
        }
    }

    [SkippableFact]
    public void Texts_shorter_than_a_chunk_are_refused() =>
        Assert.Contains("a chunk has 64", Assert.Throws<ArgumentException>(() => Model("model-f32.gguf").Perplexity([1, 2, 3], 64)).Message, StringComparison.Ordinal);

    private static JsonElement Case() => JsonDocument.Parse(File.ReadAllText(SharedFolder.Get("goldens", "convert", "perplexity", "case.json"))).RootElement;

    private static int[] Ids(JsonElement golden) => [.. golden.GetProperty("token_ids").EnumerateArray().Select(v => v.GetInt32())];

    private static LanguageModel Model(string file, WeightPrecision precision = WeightPrecision.Stored) => LanguageModel.Load(SharedFolder.Get("goldens", "convert", "llama", file), precision: precision);
}
