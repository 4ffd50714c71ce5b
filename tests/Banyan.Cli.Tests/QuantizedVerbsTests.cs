using System.Text.Json;

namespace Banyan.Cli.Tests;

/// <summary>A model on its way to few bits: create, quantize, perplexity, generate, chat, bench, as a user goes it.</summary>
public sealed class QuantizedVerbsTests(TrainedModel model) : IClassFixture<TrainedModel>
{
    [Fact]
    public void A_trained_model_becomes_small_and_still_predicts()
    {
        string file = Path.Combine(model.Folder, "small.gguf"), page = Path.ChangeExtension(file, ".html");
        ToolResult r = Tool.Run("quantize", model.Path, "--to", "q8_0", "-o", file, "--text", string.Concat(Enumerable.Repeat("the cat saw the dog. ", 20)), "context=16", "--json");
        Assert.True(r.ExitCode == 0, r.Error);
        Assert.InRange(r.Json.GetProperty("bits_per_weight").GetDouble(), 8, 17);
        Assert.InRange(r.Json.GetProperty("mean_kl").GetDouble(), 0, 0.05);
        Assert.InRange(r.Json.GetProperty("top_agreement").GetDouble(), 0.8, 1);
        Assert.Contains("Error of each tensor", File.ReadAllText(page), StringComparison.Ordinal);

        JsonElement perplexity = Tool.Run("perplexity", file, "--text", string.Concat(Enumerable.Repeat("the cat saw the dog. ", 20)), "context=16", $"against={model.Path}", "--json").Json;
        Assert.Equal(perplexity.GetProperty("perplexity_before").GetDouble(), perplexity.GetProperty("perplexity").GetDouble(), 0.05 * perplexity.GetProperty("perplexity").GetDouble());
        Assert.True(perplexity.GetProperty("tokens").GetInt32() > 8);

        string[] greedy = ["generate", file, "--prompt", "the cat", "max_new_tokens=20", "temperature=0", "ignore_end=true", "--json"];
        Assert.Equal(20, Tool.Run([.. greedy, "--check"]).Json.GetProperty("ids").GetArrayLength());
        Assert.Equal(Tool.Run("generate", file, "--prompt", "the cat", "max_new_tokens=20", "temperature=0", "--json").Json.GetProperty("ids").ToString(),
            Tool.Run("generate", file, "--prompt", "the cat", "max_new_tokens=20", "temperature=0", "draft=lookup", "--json").Json.GetProperty("ids").ToString());
        Assert.Equal(0, Tool.Run("verify", file).ExitCode);
    }

    [Theory]
    [InlineData("llama", "made"), InlineData("qwen3", "made.gguf")]
    public void A_model_of_random_weights_is_made_and_measured(string type, string name)
    {
        string path = Path.Combine(model.Folder, name);
        string[] config = ["create", $"model.type={type}", "model.hidden_size=64", "model.num_hidden_layers=2", "model.num_attention_heads=2", "model.num_key_value_heads=1", "model.intermediate_size=96",
            "model.vocab_size=100", "model.head_dim=32", $"out={path}", "--json"];
        Assert.True(Tool.Run(config).Json.GetProperty("parameters").GetInt64() > 50_000);
        JsonElement bench = Tool.Run("bench", "generate", $"model={path}", "prompt=16", "tokens=4", "steps=1", "batch=2", "--json").Json;
        foreach (string key in new[] { "prompt_tokens_per_s", "tokens_per_s", "time_to_first_token_s", "peak_rss_mib", "fraction_of_memory_rate" })
        {
            Assert.True(bench.GetProperty(key).GetDouble() > 0, key);
        }
        byte[] first = File.ReadAllBytes(name.EndsWith("gguf", StringComparison.Ordinal) ? path : Path.Combine(path, "model.safetensors"));
        Tool.Run(config);
        Assert.Equal(first, File.ReadAllBytes(name.EndsWith("gguf", StringComparison.Ordinal) ? path : Path.Combine(path, "model.safetensors")));
    }

    [Theory]
    [InlineData("to", "quantize MODEL --to q4_k_x --out x.gguf"), InlineData("NAME.gguf", "quantize MODEL --to q4_k_m --out x"), InlineData("hidden_size", "create model.type=llama model.hiden_size=64 out=x"),
        InlineData("stored or float32", "generate MODEL --prompt a weights=half"), InlineData("temperature 0", "generate MODEL --prompt a draft=lookup"), InlineData("a chunk has", "perplexity MODEL --text a context=8")]
    public void Wrong_usage_is_named(string expected, string line)
    {
        ToolResult r = Tool.Run([.. line.Replace("MODEL", model.Path, StringComparison.Ordinal).Split(' ')]);
        Assert.Equal((2, 1), (r.ExitCode, r.Error.TrimEnd().Split('\n').Length));
        Assert.Contains(expected, r.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Chat_needs_a_template_and_says_so()
    {
        ToolResult r = Tool.Run("chat", model.Path);
        Assert.Equal(1, r.ExitCode);
        Assert.Contains("chat template", r.Error, StringComparison.Ordinal);
    }
}
